import pathlib

import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BlobList,
    Block,
    BlockHasher,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    ManifestWriter,
    PageHasher,
    manifest_hash,
    render_manifest,
)

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "manifest"


def worked_example() -> DriveManifest:
    blocks = BlockHasher(block_bytes=6)
    blocks.update(b"0123456789")
    pages = PageHasher()
    pages.update(bytes(512) + b"A" * 512 + bytes(512))
    return DriveManifest(
        drive_id="9WM35C2V",
        storage_account_key=Secret("AAAAAAAAAAAAAAAAAAAAAA=="),
        client_creator="example",
        blob_lists=[
            BlobList(
                metadata_path=HashedPath(
                    path="\\session1\\meta.xml", hash="6F7520759B9D5A9B0E439875D59F0A19"
                ),
                properties_path=HashedPath(
                    path="\\session1\\props.xml", hash="880007B2694FA9799FA29398AD9645D1"
                ),
                blobs=[
                    ManifestBlob(
                        blob_path="seed/a/ten.bin",
                        file_path="\\session1\\a\\ten.bin",
                        length=10,
                        import_disposition=ImportDisposition.OVERWRITE,
                        blocks=blocks.finish(),
                    ),
                    ManifestBlob(
                        blob_path="seed/b/disk.vhd",
                        file_path="\\session1\\b\\disk.vhd",
                        length=1536,
                        import_disposition=ImportDisposition.NO_OVERWRITE,
                        page_ranges=pages.finish(),
                    ),
                ],
            )
        ],
    )


def blob(**changes) -> ManifestBlob:
    values = {"blob_path": "seed/a", "file_path": "\\a", "length": 0, "blocks": ()}
    return ManifestBlob(**(values | changes))


def test_render_worked_example_comes_out_bit_for_bit():
    data = render_manifest(worked_example())
    assert data == (GOLDEN / "worked-example.xml").read_bytes()
    assert len(data) == 1270
    assert manifest_hash(data) == "4252F838DCCF13283586023AB0708007"


def test_writer_streaming_gives_the_same_bytes_and_their_hash():
    manifest = worked_example()
    pieces = []
    writer = ManifestWriter(pieces.append, attrs.evolve(manifest, blob_lists=()))
    (blob_list,) = manifest.blob_lists
    writer.begin_blob_list(attrs.evolve(blob_list, blobs=()))
    for item in blob_list.blobs:
        writer.add(item)
    written = writer.finish()
    assert b"".join(pieces) == render_manifest(manifest)
    assert written.hash == "4252F838DCCF13283586023AB0708007"
    assert (written.length, written.blobs) == (1270, 2)


def test_writer_many_blobs_writes_bounded_pieces():
    sizes = []
    writer = ManifestWriter(lambda data: sizes.append(len(data)), DriveManifest(drive_id="D"))
    for index in range(20_000):
        writer.add(blob(blob_path=f"seed/{index}", file_path=f"\\{index}"))
    written = writer.finish()
    assert written.blobs == 20_000
    assert max(sizes) < 300_000
    assert sum(sizes) == written.length == writer.length


def test_writer_after_finish_refuses_more():
    writer = ManifestWriter(lambda data: None, DriveManifest(drive_id="D"))
    writer.finish()
    with pytest.raises(ManifestError, match="finished"):
        writer.add(blob())


def test_writer_manifest_with_lists_is_refused():
    with pytest.raises(ManifestError, match="without lists"):
        ManifestWriter(lambda data: None, worked_example())


def test_render_empty_lists_stay_lists():
    manifest = DriveManifest(drive_id="D", blob_lists=[BlobList(blobs=[blob()])])
    assert b"        <BlockList />\n" in render_manifest(manifest)
    manifest = DriveManifest(
        drive_id="D", blob_lists=[BlobList(blobs=[blob(blocks=None, page_ranges=())])]
    )
    assert b"        <PageRangeList />\n" in render_manifest(manifest)


@pytest.mark.parametrize("bad", ["\0", "\x07", "\x1f", "\udc80", "\ufffe", "\uffff"], ids=ascii)
def test_render_character_xml_cannot_carry_is_refused_by_name(bad):
    manifest = DriveManifest(
        drive_id="D", blob_lists=[BlobList(blobs=[blob(blob_path=f"seed/secret-name{bad}")])]
    )
    with pytest.raises(ManifestError, match=rf"BlobPath.*U\+{ord(bad):04X}") as caught:
        render_manifest(manifest)
    assert caught.value.context == "BlobPath"


def test_render_secret_that_xml_cannot_carry_is_not_shown():
    with pytest.raises(ManifestError) as caught:
        render_manifest(DriveManifest(drive_id="D", container_sas=Secret("sig=abc\0")))
    assert "abc" not in str(caught.value)


def test_render_markup_and_line_ends_are_references():
    manifest = DriveManifest(
        drive_id="D",
        blob_lists=[
            BlobList(
                id='s"&<>\n\t\r',
                blobs=[blob(blob_path="seed/a&b<c>\n\t\r\"'", blocks=[])],
            )
        ],
    )
    data = render_manifest(manifest)
    assert b'<BlobList Id="s&quot;&amp;&lt;&gt;&#10;&#9;&#13;">' in data
    assert b"<BlobPath>seed/a&amp;b&lt;c&gt;&#10;&#9;&#13;\"'</BlobPath>" in data


def test_manifest_repr_hides_the_key():
    manifest = DriveManifest(drive_id="D", storage_account_key=Secret("c2VjcmV0"))
    assert "c2VjcmV0" not in repr(manifest)
    assert "c2VjcmV0" not in repr(attrs.asdict(manifest))


def test_blob_with_both_lists_is_refused():
    with pytest.raises(ManifestError, match="not both"):
        blob(page_ranges=())


def test_block_negative_offset_is_refused():
    with pytest.raises(ManifestError, match="negative"):
        Block(offset=-1, length=1, hash="")


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_block_length_that_is_no_int_is_a_type_error(value):
    with pytest.raises(TypeError, match="length is an int"):
        Block(offset=0, length=value, hash="")
