import pathlib

import pytest

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BlobList,
    BlobType,
    Block,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    ManifestReader,
    PageRange,
    UnknownElement,
    parse_manifest,
    render_manifest,
)

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "manifest"


def document(inside: str = "", *, blob: str | None = None) -> bytes:
    if blob is not None:
        inside = f"<DriveId>D</DriveId><BlobList><Blob>{blob}</Blob></BlobList>"
    return f'<DriveManifest Version="2014-11-01"><Drive>{inside}</Drive></DriveManifest>'.encode()


BLOB = "<BlobPath>seed/a</BlobPath><FilePath>\\a</FilePath><Length>1</Length>"


def test_parse_worked_example_reads_everything():
    manifest = parse_manifest((GOLDEN / "worked-example.xml").read_bytes())
    assert manifest.drive_id == "9WM35C2V"
    assert manifest.storage_account_key == Secret("AAAAAAAAAAAAAAAAAAAAAA==")
    assert manifest.container_sas is None
    assert (manifest.version, manifest.client_creator) == ("2014-11-01", "example")
    (blob_list,) = manifest.blob_lists
    assert blob_list.metadata_path == HashedPath(
        path="\\session1\\meta.xml", hash="6F7520759B9D5A9B0E439875D59F0A19"
    )
    ten, disk = blob_list.blobs
    assert ten.import_disposition is ImportDisposition.OVERWRITE
    assert ten.blob_type is BlobType.BLOCK
    assert ten.blocks[1] == Block(
        offset=6, length=4, id="AQAAAA==", hash="46D045FF5190F6EA93739DA6C0AA19BC"
    )
    assert disk.blob_type is BlobType.PAGE
    assert disk.page_ranges == (
        PageRange(offset=512, length=512, hash="DC5086B847289BA8B8BDE149B8388175"),
    )


@pytest.mark.parametrize("name", ["worked-example.xml", "export-2011.xml"])
def test_parse_then_render_gives_the_same_text(name):
    data = (GOLDEN / name).read_bytes()
    assert render_manifest(parse_manifest(data)).lower() == data.lower()


def test_parse_export_sample_has_no_key_and_side_files_on_blobs():
    manifest = parse_manifest((GOLDEN / "export-2011.xml").read_bytes())
    assert manifest.storage_account_key is manifest.container_sas is None
    redmond, canyon = manifest.blob_lists[0].blobs
    assert [(r.offset, r.length) for r in redmond.page_ranges] == [
        (0, 3584),
        (3584, 3584),
        (7168, 512),
    ]
    assert redmond.properties_path.path == "\\pictures\\city\\redmond.jpg.properties"
    assert [block.id for block in canyon.blocks] == [
        "AAAAAA==",
        "AQAAAA==",
        "AgAAAA==",
        "AwAAAA==",
    ]


def test_parse_loose_sample_is_read_and_unknown_parts_survive():
    manifest = parse_manifest((GOLDEN / "loose.xml").read_bytes())
    assert manifest == DriveManifest(
        version="2018-06-01",
        drive_id="WD-WX11A22B33C4",
        client_creator="example",
        container_sas=Secret("seed?sv=2014-02-14&sr=c&sig=abc%3D&sp=rwd"),
        unknown_attributes=[
            ("Tool", "WAImportExport"),
            ("Drive/Slot", "3"),
            ("Drive/DriveId/Kind", "serial"),
        ],
        unknown_elements=[
            UnknownElement(name="Signature", attributes=[("Algorithm", "none")]),
            UnknownElement(
                name="Warranty",
                content=[UnknownElement(name="Until", content=["2020"])],
                within="Drive",
            ),
        ],
        blob_lists=[
            BlobList(
                id="session#1-0",
                metadata_path=HashedPath(
                    path="\\session1\\meta.xml", hash="6F7520759B9D5A9B0E439875D59F0A19"
                ),
                properties_path=HashedPath(
                    path="\\session1\\props.xml", hash="880007B2694FA9799FA29398AD9645D1"
                ),
                blobs=[
                    ManifestBlob(
                        blob_path="seed/a b.bin",
                        file_path="\\session1\\a b.bin",
                        length=10,
                        import_disposition="Overwrite",
                        client_data="line 1\nline 2",
                        blocks=[
                            Block(offset=0, length=6, hash="D6A9A933C8AAFC51E55AC0662B6E4D4A"),
                            Block(
                                offset=6,
                                length=4,
                                hash="46D045FF5190F6EA93739DA6C0AA19BC",
                                unknown_attributes=[("Tier", "Hot")],
                            ),
                        ],
                        unknown_attributes=[
                            ("Priority", "2"),
                            ("Length/Unit", "byte"),
                            ("BlockList/Count", "2"),
                        ],
                        unknown_elements=[
                            UnknownElement(name="AccessTier", content=["Cool"]),
                            UnknownElement(
                                name="Summary",
                                content=["two ", UnknownElement(name="b", content=["blocks"])],
                                within="BlockList",
                            ),
                        ],
                    )
                ],
            ),
            BlobList(id="session#1-1"),
        ],
    )
    assert parse_manifest(render_manifest(manifest)) == manifest


@pytest.mark.parametrize("split", [1, 7, 1000])
def test_reader_any_split_gives_the_same_blobs(split):
    data = (GOLDEN / "loose.xml").read_bytes()
    whole = parse_manifest(data)
    blobs = []
    reader = ManifestReader(lambda *pair: blobs.append(pair))
    for start in range(0, len(data), split):
        reader.feed(data[start : start + split])
    manifest = reader.close()
    assert blobs == [(0, blob) for blob in whole.blob_lists[0].blobs]
    assert manifest.drive_id == whole.drive_id
    assert [blob_list.blobs for blob_list in manifest.blob_lists] == [(), ()]


def test_reader_callback_error_passes_through():
    def stop(index, blob):
        raise ValueError("the caller's own")

    reader = ManifestReader(stop)
    with pytest.raises(ValueError, match="the caller's own"):
        reader.feed((GOLDEN / "worked-example.xml").read_bytes())


def test_reader_counts_lists_without_blobs():
    indexes = []
    reader = ManifestReader(lambda index, blob: indexes.append(index))
    data = document(
        f"<DriveId>D</DriveId><BlobList/><BlobList><Blob>{BLOB}</Blob></BlobList>"
        f"<BlobList><Blob>{BLOB}</Blob><Blob>{BLOB}</Blob></BlobList>"
    )
    reader.feed(data)
    assert len(reader.close().blob_lists) == 3
    assert indexes == [1, 2, 2]


def test_parse_doctype_is_refused():
    data = b'<!DOCTYPE DriveManifest [<!ENTITY a "aaaa">]>' + document("<DriveId>&a;</DriveId>")
    with pytest.raises(ManifestError, match="DOCTYPE"):
        parse_manifest(data)


def test_parse_external_entity_without_declaration_is_refused():
    with pytest.raises(ManifestError, match="well-formed"):
        parse_manifest(document("<DriveId>&file;</DriveId>"))


def test_parse_too_long_document_is_refused():
    with pytest.raises(ManifestError, match="longer than 100 bytes"):
        parse_manifest(document("<DriveId>D</DriveId>") + b" " * 100, max_bytes=100)


def test_parse_deep_document_is_refused():
    with pytest.raises(ManifestError, match="deeper than 32"):
        parse_manifest(b"<a>" * 100_000)


@pytest.mark.parametrize(
    ("data", "context", "message"),
    [
        (b"<Other/>", "Other", "not a DriveManifest"),
        (b"<DriveManifest/>", "Drive", "no Drive"),
        (document(), "Drive/DriveId", "no DriveId"),
        (document("<DriveId>a</DriveId><DriveId>b</DriveId>"), "Drive/DriveId", "2 DriveId"),
        (document("<DriveId><b/></DriveId>"), "Drive/DriveId", "elements where its text"),
        (document("<DriveId>D</DriveId>text"), "Drive", "text where its elements"),
        (
            document(blob="<FilePath>\\a</FilePath><Length>1</Length>"),
            "Drive/BlobList[1]/Blob[1]/BlobPath",
            "no BlobPath",
        ),
        (
            document(blob=BLOB.replace("1<", "-1<")),
            "Drive/BlobList[1]/Blob[1]/Length",
            "'-1': it is a whole number",
        ),
        (
            document(blob=BLOB.replace("1<", "9" * 5000 + "<")),
            "Drive/BlobList[1]/Blob[1]/Length",
            "whole number",
        ),
        (
            document(blob=BLOB + '<BlockList><Block Offset="0" Length="1"/></BlockList>'),
            "Drive/BlobList[1]/Blob[1]/BlockList/Block[1]/@Hash",
            "no Hash",
        ),
        (
            document(blob=BLOB + '<BlockList><Block Offset="0x1" Length="1" Hash=""/></BlockList>'),
            "Drive/BlobList[1]/Blob[1]/BlockList/Block[1]/@Offset",
            "whole number",
        ),
        (
            document(blob=BLOB + "<BlockList/><PageRangeList/>"),
            "Drive/BlobList[1]/Blob[1]",
            "a BlockList and a PageRangeList",
        ),
        (
            document(blob=BLOB + "<MetadataPath>\\m</MetadataPath>"),
            "Drive/BlobList[1]/Blob[1]/MetadataPath/@Hash",
            "no Hash",
        ),
    ],
)
def test_parse_wrong_form_names_the_place(data, context, message):
    with pytest.raises(ManifestError, match=message.replace("[", r"\[")) as caught:
        parse_manifest(data)
    assert caught.value.context == context
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"\xff\xfe",
        b"<DriveManifest>",
        b"\0" * 100,
        b'<?xml version="1.0" encoding="nonsense"?><a/>',
        b'<?xml version="1.0" encoding="gb18030"?><a/>',
        b'<?xml version="1.0" encoding="utf-8"?><a>\xff</a>',
    ],
)
def test_parse_junk_is_refused(data):
    with pytest.raises(ManifestError):
        parse_manifest(data)


def test_parse_byte_order_mark_and_utf_16_are_read():
    text = '<?xml version="1.0" encoding="{}"?>' + document("<DriveId>Ä</DriveId>").decode()
    assert parse_manifest(text.format("utf-8").encode("utf-8-sig")).drive_id == "Ä"
    assert parse_manifest(text.format("utf-16").encode("utf-16")).drive_id == "Ä"


def test_parse_errors_never_show_the_key():
    data = document("<StorageAccountKey>c2VjcmV0</StorageAccountKey><DriveId>D</DriveId><<")
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data)
    assert "c2VjcmV0" not in str(caught.value)
    data = document(
        "<StorageAccountKey>c2VjcmV0</StorageAccountKey>"
        "<StorageAccountKey>c2VjcmV0</StorageAccountKey><DriveId>D</DriveId>"
    )
    with pytest.raises(ManifestError, match="2 StorageAccountKey") as caught:
        parse_manifest(data)
    assert "c2VjcmV0" not in str(caught.value)
