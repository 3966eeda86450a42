"""
Landed blobs looked at through azure-storage-blob, in a real Azurite.
"""

import random

import pytest
from azure.storage.blob import BlobBlock, BlobServiceClient

from offlineseed.manifest import (
    BlobList,
    BlobType,
    BlockHasher,
    DriveManifest,
    ManifestBlob,
    PageHasher,
)
from offlineseed.verify import BlobLanded, VerifyLevel, verify_landed

MIB = 1024 * 1024
BLOCKS = random.Random(1).randbytes(5 * MIB + 3)
PAGES = bytes(MIB) + random.Random(2).randbytes(1024) + bytes(MIB)


@pytest.fixture
def container(azurite):
    with BlobServiceClient.from_connection_string(azurite) as account:
        container = account.create_container("verify-landed")
        try:
            yield container
        finally:
            container.delete_container()


@pytest.fixture
def manifest(container):
    block_hasher, page_hasher = BlockHasher(), PageHasher()
    block_hasher.update(BLOCKS)
    page_hasher.update(PAGES)
    one = ManifestBlob(
        blob_path="verify-landed/seed/one two%.zst",
        file_path="\\seed\\one",
        length=len(BLOCKS),
        blocks=block_hasher.finish(),
    )
    two = ManifestBlob(
        blob_path="verify-landed/disk.vhd",
        file_path="\\disk.vhd",
        length=len(PAGES),
        page_ranges=page_hasher.finish(),
    )
    empty = ManifestBlob(blob_path="verify-landed/empty", file_path="\\empty", length=0, blocks=())
    blob = container.get_blob_client("seed/one two%.zst")
    for block in one.blocks:
        blob.stage_block(block.id, BLOCKS[block.offset : block.offset + block.length])
    blob.commit_block_list([BlobBlock(block_id=block.id) for block in one.blocks])
    blob = container.get_blob_client("disk.vhd")
    blob.create_page_blob(len(PAGES))
    for one_range in two.page_ranges:
        piece = PAGES[one_range.offset : one_range.offset + one_range.length]
        blob.upload_page(piece, one_range.offset, one_range.length)
    container.upload_blob("empty", b"")
    return DriveManifest(drive_id="9WM35C2V", blob_lists=[BlobList(blobs=[one, two, empty])])


def test_verify_landed_in_a_container_checks_blocks_types_and_content(container, manifest):
    report = verify_landed(BlobLanded(container), [manifest])
    assert report.is_ok
    assert (report.count("blobs"), report.count("block-lists"), report.count("ranges")) == (3, 1, 3)
    assert report.count("bytes") == len(BLOCKS) + len(PAGES)


def test_verify_landed_in_a_container_finds_what_is_wrong(container, manifest):
    wrong = bytearray(BLOCKS)
    wrong[4 * MIB] ^= 1
    container.upload_blob("seed/one two%.zst", bytes(wrong), overwrite=True)
    container.delete_blob("empty")
    container.get_blob_client("disk.vhd").upload_page(b"x" * 512, 0, 512)
    report = verify_landed(BlobLanded(container), [manifest])
    assert [(failure.code, failure.offset) for failure in report.failures] == [
        ("range-differs", 4 * MIB),
        ("gap-not-zero", 0),
        ("blob-missing", None),
    ]


def test_verify_landed_in_a_container_with_other_blocks_says_so(container, manifest):
    blob = container.get_blob_client("seed/one two%.zst")
    blob.stage_block("AAAAAA==", BLOCKS[:MIB])
    blob.stage_block("AQAAAA==", BLOCKS[MIB:])
    blob.commit_block_list([BlobBlock(block_id="AAAAAA=="), BlobBlock(block_id="AQAAAA==")])
    report = verify_landed(BlobLanded(container), [manifest], level=VerifyLevel.NAMES)
    assert [failure.code for failure in report.failures] == ["block-list-differs"]


def test_blob_landed_reads_no_further_than_the_end(container, manifest):
    landed = BlobLanded(container)
    assert landed.read("disk.vhd", len(PAGES) - 3, 100) == PAGES[-3:]
    assert landed.read("disk.vhd", len(PAGES), 100) == b""
    assert landed.find("disk.vhd").blob_type is BlobType.PAGE
    assert landed.find("nothing") is None
