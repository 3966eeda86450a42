import pytest

from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BlobProperties,
    UnknownElement,
    manifest_hash,
    parse_metadata,
    parse_properties,
    render_metadata,
    render_properties,
)


def test_render_metadata_worked_example_has_its_hash():
    data = render_metadata([("UploadMethod", "offline")])
    assert manifest_hash(data) == "6F7520759B9D5A9B0E439875D59F0A19"
    assert parse_metadata(data) == (("UploadMethod", "offline"),)


def test_render_properties_worked_example_has_its_hash():
    properties = BlobProperties(content_type="application/octet-stream")
    data = render_properties(properties)
    assert manifest_hash(data) == "880007B2694FA9799FA29398AD9645D1"
    assert parse_properties(data) == properties


def test_parse_metadata_published_sample_is_read():
    data = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Metadata><UploadMethod>Windows Azure '
        b"Import/Export service</UploadMethod><CreationDate>10/1/2013</CreationDate></Metadata>"
    )
    assert parse_metadata(data) == (
        ("UploadMethod", "Windows Azure Import/Export service"),
        ("CreationDate", "10/1/2013"),
    )


def test_parse_properties_published_sample_keeps_empty_and_unknown_elements():
    data = (
        b"<Properties><Content-MD5>Q2hlY2sgSW50ZWdyaXR5IQ==</Content-MD5><Content-Encoding/>"
        b"<Cache-Control>no-cache</Cache-Control><Etag>&quot;0x8&quot;</Etag>"
        b"<Last-Modified>Sun, 06 Nov 1994 08:49:37 GMT</Last-Modified>"
        b"<Content-Disposition>inline</Content-Disposition></Properties>"
    )
    properties = parse_properties(data)
    assert properties == BlobProperties(
        content_md5="Q2hlY2sgSW50ZWdyaXR5IQ==",
        content_encoding="",
        cache_control="no-cache",
        etag='"0x8"',
        last_modified="Sun, 06 Nov 1994 08:49:37 GMT",
        unknown_elements=(UnknownElement(name="Content-Disposition", content=["inline"]),),
    )
    assert parse_properties(render_properties(properties)) == properties


def test_render_metadata_odd_values_survive():
    items = (("a", " line\r\nline\t<&> \u2028"), ("_b2", ""))
    assert parse_metadata(render_metadata(items)) == items


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "ä", "a>b"])
def test_render_metadata_name_that_is_no_identifier_is_refused(name):
    with pytest.raises(ManifestError, match="is no metadata name"):
        render_metadata([(name, "x")])


def test_metadata_name_twice_is_refused_without_regard_to_case():
    with pytest.raises(ManifestError, match="twice"):
        render_metadata([("Name", "1"), ("name", "2")])
    with pytest.raises(ManifestError, match="twice"):
        parse_metadata(b"<Metadata><Name>1</Name><name>2</name></Metadata>")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<Properties/>",
        b"<Metadata>text</Metadata>",
        b"<Metadata><a><b/></a></Metadata>",
        b"<!DOCTYPE Metadata><Metadata/>",
    ],
)
def test_parse_metadata_wrong_document_is_refused(data):
    with pytest.raises(ManifestError):
        parse_metadata(data)


def test_parse_properties_twice_is_refused():
    with pytest.raises(ManifestError, match="2 Etag"):
        parse_properties(b"<Properties><Etag>1</Etag><Etag>2</Etag></Properties>")


def test_parse_side_file_too_long_is_refused():
    with pytest.raises(ManifestError, match="longer than 10 bytes"):
        parse_properties(b"<Properties/>", max_bytes=10)
