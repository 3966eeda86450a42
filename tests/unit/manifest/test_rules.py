import attrs
import pytest

from offlineseed._secret import Secret
from offlineseed.findings import Severity
from offlineseed.manifest import (
    LIMITS_2017,
    BlobList,
    Block,
    DriveManifest,
    HashedPath,
    ImportDisposition,
    ManifestBlob,
    PageRange,
    check_manifest,
    check_manifest_blob,
)

MIB = 1024**2
MD5 = "D41D8CD98F00B204E9800998ECF8427E"


def block(offset, length, **changes) -> Block:
    return Block(**({"offset": offset, "length": length, "hash": MD5} | changes))


def page_range(offset, length, **changes) -> PageRange:
    return PageRange(**({"offset": offset, "length": length, "hash": MD5} | changes))


def blob(**changes) -> ManifestBlob:
    values = {
        "blob_path": "seed/a.bin",
        "file_path": "\\a.bin",
        "length": 10,
        "import_disposition": ImportDisposition.OVERWRITE,
        "blocks": [block(0, 6, id="AAAAAA=="), block(6, 4, id="AQAAAA==")],
    }
    return ManifestBlob(**(values | changes))


def pages(*ranges, length=1 << 20, **changes) -> ManifestBlob:
    return blob(blocks=None, page_ranges=ranges, length=length, **changes)


def manifest(*blobs, **changes) -> DriveManifest:
    values = {
        "drive_id": "9WM35C2V",
        "storage_account_key": Secret("key"),
        "blob_lists": [BlobList(blobs=blobs or [blob()])],
    }
    return DriveManifest(**(values | changes))


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_check_good_manifest_finds_nothing():
    assert check_manifest(manifest(blob(), pages(page_range(512, 512), blob_path="$root/b"))) == ()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (blob(blob_path="a.bin"), "blob-path-invalid"),
        (blob(blob_path="/seed/a.bin"), "blob-path-invalid"),
        (blob(blob_path="seed/"), "blob-path-invalid"),
        (blob(blob_path="SEED/a"), "blob-path-invalid"),
        (blob(blob_path="seed/" + "x" * 1025), "blob-path-invalid"),
        (blob(blob_path="seed/" + "x/" * 254 + "x"), "blob-path-invalid"),
        (blob(blob_path="$root/a/b"), "blob-path-invalid"),
        (blob(blob_path="seed/a."), "blob-name-unwise"),
        (blob(blob_path="seed/a\\b"), "blob-name-unwise"),
        (blob(file_path="a.bin"), "file-path-invalid"),
        (blob(file_path="\\\\server\\a"), "file-path-invalid"),
        (blob(file_path="\\..\\a"), "file-path-invalid"),
        (blob(file_path="\\"), "file-path-invalid"),
        (blob(file_path="\\C:\\a"), "file-path-invalid"),
        (blob(file_path="\\a?"), "file-path-invalid"),
        (blob(file_path="\\a."), "file-path-invalid"),
        (blob(file_path="\\b\\nul.txt"), "file-path-invalid"),
        (blob(file_path="\\" + "\U0001f600" * 128), "file-path-invalid"),
        (blob(file_path="\\" + "long\\" * 60 + "a"), "file-path-long"),
        (blob(client_data="bell\7"), "character-not-in-xml"),
        (blob(blob_path="seed/\udc80"), "character-not-in-xml"),
        (blob(import_disposition="Overwrite"), "disposition-unknown"),
        (blob(snapshot="2013-01-01T00:00:00Z"), "snapshot-in-import"),
        (blob(blocks=None), "block-list-missing"),
        (blob(blocks=[block(0, 6), block(7, 3)]), "block-list-not-contiguous"),
        (blob(blocks=[block(6, 4), block(0, 6)]), "block-list-not-contiguous"),
        (blob(blocks=[block(0, 6), block(5, 5)]), "block-list-not-contiguous"),
        (blob(blocks=[block(0, 9)]), "block-list-not-contiguous"),
        (blob(blocks=[]), "block-list-not-contiguous"),
        (blob(blocks=[block(0, 10), block(10, 0)]), "block-length-invalid"),
        (
            blob(length=5 * MIB, blocks=[block(0, 5 * MIB)]),
            "block-length-invalid",
        ),
        (blob(blocks=[block(0, 6, id="AAAAAA=="), block(6, 4)]), "block-ids-mixed"),
        (blob(blocks=[block(0, 10, id="no base64")]), "block-id-invalid"),
        (blob(blocks=[block(0, 10, id="A" * 88)]), "block-id-invalid"),
        (blob(blocks=[block(0, 10, id="")]), "block-id-invalid"),
        (
            blob(blocks=[block(0, 6, id="AAAA"), block(6, 4, id="AAAAAA==")]),
            "block-id-invalid",
        ),
        (
            blob(blocks=[block(0, 6, id="AAAA"), block(6, 4, id="AAAA", hash="0" * 32)]),
            "block-id-invalid",
        ),
        (
            blob(length=65 * MIB, blocks=[block(i * MIB, MIB) for i in range(65)]),
            "block-ids-missing",
        ),
        (blob(blocks=[block(0, 10, hash="xyz")]), "hash-invalid"),
        (blob(metadata_path=HashedPath(path="\\m", hash="")), "hash-invalid"),
        (pages(length=513), "page-blob-unaligned"),
        (pages(length=9 * 1024**4), "blob-too-long"),
        (pages(page_range(100, 512)), "page-range-unaligned"),
        (pages(page_range(512, 100)), "page-range-unaligned"),
        (pages(page_range(0, 0)), "page-range-length-invalid"),
        (pages(page_range(0, 5 * MIB), length=8 * MIB), "page-range-length-invalid"),
        (pages(page_range(512, 512), page_range(0, 512)), "page-ranges-out-of-order"),
        (pages(page_range(0, 1024), page_range(512, 512)), "page-ranges-out-of-order"),
        (pages(page_range(1 << 20, 512)), "page-ranges-out-of-order"),
        (pages(page_range(0, 512, hash="")), "hash-invalid"),
    ],
)
def test_check_blob_breaking_one_rule_gives_its_code(wrong, code):
    findings = check_manifest_blob(wrong)
    assert set(codes(findings)) == {code}
    assert findings[0].subject == wrong.blob_path
    assert code in codes(check_manifest(manifest(wrong)))


def test_check_blob_breaking_many_rules_gives_every_finding():
    wrong = blob(
        blob_path="Bad",
        file_path="bad?",
        import_disposition="replace",
        blocks=[block(1, 0, hash="")],
    )
    assert set(codes(check_manifest_blob(wrong))) == {
        "blob-path-invalid",
        "file-path-invalid",
        "disposition-unknown",
        "block-length-invalid",
        "block-list-not-contiguous",
        "hash-invalid",
    }
    assert codes(check_manifest_blob(wrong)).count("block-list-not-contiguous") == 2


def test_check_block_blob_beyond_fifty_thousand_blocks_is_found():
    largest = 50_000 * 4 * MIB
    assert codes(check_manifest_blob(blob(length=largest + 1, blocks=None))) == [
        "blob-too-long",
        "block-list-missing",
    ]
    assert codes(check_manifest_blob(blob(length=largest, blocks=None))) == ["block-list-missing"]
    many = [block(offset, 1, id="AAAA") for offset in range(50_001)]
    assert codes(check_manifest_blob(blob(length=50_001, blocks=many))) == ["block-list-too-long"]


def test_check_limits_of_2017_are_smaller():
    two_tebibytes = pages(length=2 * 1024**4)
    assert check_manifest_blob(two_tebibytes) == ()
    assert codes(check_manifest_blob(two_tebibytes, limits=LIMITS_2017)) == ["blob-too-long"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"drive_id": ""}, "drive-id-invalid"),
        ({"drive_id": "9WM 35C2V"}, "drive-id-invalid"),
        ({"storage_account_key": None}, "credential-not-one"),
        ({"container_sas": Secret("seed?sig=x")}, "credential-not-one"),
        (
            {"storage_account_key": None, "container_sas": Secret("other?sig=x")},
            "sas-container-differs",
        ),
        ({"version": "2030-01-01"}, "version-unknown"),
        ({"blob_lists": ()}, "blob-list-empty"),
        (
            {
                "blob_lists": [
                    BlobList(blobs=[blob()], metadata_path=HashedPath(path="\\m", hash="no"))
                ]
            },
            "hash-invalid",
        ),
    ],
)
def test_check_drive_breaking_one_rule_gives_one_finding(changes, code):
    findings = check_manifest(manifest(**changes))
    assert codes(findings) == [code]
    assert "sig=x" not in str(findings)


@pytest.mark.parametrize("sas", ["seed?sig=x", "https://account.blob.core.windows.net/seed?sig=x"])
def test_check_sas_of_the_right_container_is_good(sas):
    assert check_manifest(manifest(storage_account_key=None, container_sas=Secret(sas))) == ()


def test_check_paths_twice_and_in_other_case_are_found():
    findings = check_manifest(
        manifest(blob(), blob(), blob(blob_path="seed/b", file_path="\\A.BIN"))
    )
    assert codes(findings) == ["blob-path-duplicate", "file-path-case-only"]


def test_check_export_has_its_own_rules():
    exported = blob(import_disposition=None, snapshot="2013-01-01T00:00:00Z")
    good = attrs.evolve(manifest(exported), storage_account_key=None)
    assert check_manifest(good, is_export=True) == ()
    assert codes(check_manifest(manifest(), is_export=True)) == [
        "credential-in-export",
        "disposition-in-export",
    ]


def test_check_warnings_are_no_errors():
    (finding,) = check_manifest_blob(blob(blob_path="seed/a."))
    assert finding.severity is Severity.WARNING
