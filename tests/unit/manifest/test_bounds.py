import pytest

from offlineseed._secret import Secret
from offlineseed.errors import ManifestError
from offlineseed.manifest import (
    BlobList,
    BlobOutline,
    BlobType,
    BlockHasher,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    PageHasher,
    manifest_length_bound,
    render_manifest,
)

HEADER = DriveManifest(drive_id="D", storage_account_key=Secret("a&b"), client_creator="x")


def rendered(header, blob_list=None, *blobs) -> int:
    lists = [BlobList(blobs=blobs)] if blob_list is None else [blob_list]
    return len(
        render_manifest(
            DriveManifest(
                drive_id=header.drive_id,
                storage_account_key=header.storage_account_key,
                client_creator=header.client_creator,
                blob_lists=lists,
            )
        )
    )


def block_blob(path, data, *, block_bytes, with_ids=True) -> ManifestBlob:
    hasher = BlockHasher(block_bytes=block_bytes, with_ids=with_ids)
    hasher.update(data)
    return ManifestBlob(
        blob_path=path,
        file_path="\\" + path,
        length=len(data),
        blocks=hasher.finish(),
        import_disposition=ImportDisposition.NO_OVERWRITE,
    )


def outline(blob: ManifestBlob) -> BlobOutline:
    return BlobOutline(
        blob_path=blob.blob_path,
        file_path=blob.file_path,
        length=blob.length,
        blob_type=blob.blob_type,
        import_disposition=blob.import_disposition,
    )


def test_bound_without_blobs_is_exact():
    assert manifest_length_bound(HEADER, []) == rendered(HEADER)


def test_bound_counts_the_lists_of_the_header():
    blob_list = BlobList(metadata_path=HashedPath(path="\\m.xml", hash="0" * 32))
    header = DriveManifest(drive_id="D", blob_lists=[blob_list])
    assert manifest_length_bound(header, []) == len(render_manifest(header))


@pytest.mark.parametrize("with_ids", [True, False])
@pytest.mark.parametrize("length", [0, 1, 10, 11, 1000, 12_345])
def test_bound_of_block_blobs_holds_and_is_tight(length, with_ids):
    blobs = [
        block_blob(f"seed/ä&<\n{number}", bytes(length), block_bytes=10, with_ids=with_ids)
        for number in range(3)
    ]
    bound = manifest_length_bound(HEADER, map(outline, blobs), block_bytes=10, with_ids=with_ids)
    true = rendered(HEADER, None, *blobs)
    assert true <= bound <= true + sum(20 + len(blob.blocks) * 10 for blob in blobs)


@pytest.mark.parametrize("gap", [512, 4096])
@pytest.mark.parametrize("range_bytes", [512, 1024, 65536])
def test_bound_of_the_worst_scattered_page_blob_holds(gap, range_bytes):
    data = (b"A" * 512 + bytes(gap)) * 50 + b"B" * 5120
    hasher = PageHasher(range_bytes=range_bytes, minimum_gap_bytes=gap)
    hasher.update(data)
    blob = ManifestBlob(
        blob_path="seed/d", file_path="\\d", length=len(data), page_ranges=hasher.finish()
    )
    bound = manifest_length_bound(
        HEADER, [outline(blob)], block_bytes=range_bytes, minimum_gap_bytes=gap
    )
    assert len(blob.page_ranges) >= 51
    assert rendered(HEADER, None, blob) <= bound


def test_bound_of_a_large_page_blob_stays_small():
    disk = BlobOutline(blob_path="seed/d", file_path="\\d", length=1024**4, blob_type=BlobType.PAGE)
    assert manifest_length_bound(HEADER, [disk]) < 200 * 1024**2


def test_bound_refuses_what_the_writer_would_refuse():
    with pytest.raises(ManifestError):
        manifest_length_bound(HEADER, [BlobOutline(blob_path="seed/\0", file_path="\\a", length=1)])
