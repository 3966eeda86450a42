import attrs
import pytest

from offlineseed.errors import UnsafeNameError
from offlineseed.events import BlobVerified
from offlineseed.manifest import BlobList, BlobType
from offlineseed.verify import FolderLanded, LandedBlob, VerifyLevel, verify_landed

MIB = 1024 * 1024
FULL, SAMPLE, NAMES = VerifyLevel.FULL, VerifyLevel.SAMPLE, VerifyLevel.NAMES


@pytest.fixture
def landed(landed_folder):
    return FolderLanded(landed_folder, "backups")


def only(report):
    (failure,) = report.failures
    return failure


def flip(landed_folder, path, position):
    place = landed_folder / "backups" / path
    data = bytearray(place.read_bytes())
    data[position] ^= 1
    place.write_bytes(data)


@pytest.mark.parametrize(
    ("level", "ranges", "count"),
    [(NAMES, 0, 0), (SAMPLE, 3, 5 * MIB + 3 + 1024), (FULL, 3, 8 * MIB + 3 + 1024)],
    ids=lambda value: getattr(value, "value", value),
)
def test_verify_landed_of_all_blobs_finds_nothing_wrong(prepared, landed, level, ranges, count):
    events = []
    report = verify_landed(landed, [prepared.manifest], level=level, on_event=events.append)
    assert report.is_ok
    assert (report.count("blobs"), report.count("ranges"), report.count("bytes")) == (
        3,
        ranges,
        count,
    )
    assert [event.blob_path for event in events] == [
        blob.blob_path for blob in prepared.manifest.blob_lists[0].blobs
    ]
    assert all(isinstance(event, BlobVerified) for event in events)


def test_verify_landed_with_a_flipped_bit_names_blob_and_range(prepared, landed, landed_folder):
    flip(landed_folder, "seed/one.zst", 4 * MIB + 5)
    failure = only(verify_landed(landed, [prepared.manifest]))
    assert (failure.code, failure.subject) == ("range-differs", "backups/seed/one.zst")
    assert (failure.offset, failure.length) == (4 * MIB, MIB + 3)
    assert failure.expected == prepared.manifest.blob_lists[0].blobs[0].blocks[1].hash
    assert verify_landed(landed, [prepared.manifest], level=NAMES).is_ok


def test_verify_landed_with_data_in_a_page_blobs_gap_says_where(prepared, landed, landed_folder):
    flip(landed_folder, "seed/disk.vhd", 5)
    failure = only(verify_landed(landed, [prepared.manifest]))
    assert (failure.code, failure.offset, failure.length) == ("gap-not-zero", 0, MIB)
    assert verify_landed(landed, [prepared.manifest], level=SAMPLE).is_ok


@pytest.mark.parametrize("level", list(VerifyLevel), ids=lambda level: level.value)
def test_verify_landed_with_a_blob_missing_names_it(prepared, landed, landed_folder, level):
    (landed_folder / "backups/seed/empty").unlink()
    failure = only(verify_landed(landed, [prepared.manifest], level=level))
    assert (failure.code, failure.subject) == ("blob-missing", "backups/seed/empty")


def test_verify_landed_with_a_shorter_blob_says_so(prepared, landed, landed_folder):
    place = landed_folder / "backups/seed/one.zst"
    place.write_bytes(place.read_bytes()[:-1])
    report = verify_landed(landed, [prepared.manifest])
    assert [failure.code for failure in report.failures] == ["length-differs", "range-differs"]
    assert report.failures[1].found == f"only {MIB + 2} bytes"


def test_verify_landed_of_a_renamed_blob_looks_where_it_landed(prepared, landed, landed_folder):
    folder = landed_folder / "backups/seed"
    (folder / "one.zst").rename(folder / "one (2).zst")
    renamed = {"backups/seed/one.zst": "backups/seed/one (2).zst"}
    assert verify_landed(landed, [prepared.manifest], renamed=renamed).is_ok
    assert not verify_landed(landed, [prepared.manifest]).is_ok


def test_verify_landed_of_blobs_of_another_container_says_so(prepared, landed_folder):
    report = verify_landed(FolderLanded(landed_folder, "elsewhere"), [prepared.manifest])
    assert {failure.code for failure in report.failures} == {"container-differs"}
    assert report.failure_count == 3


def test_verify_landed_sample_reads_every_nth_range(prepared, landed):
    manifest = prepared.manifest
    (blob_list,) = manifest.blob_lists
    blob = blob_list.blobs[0]
    many = attrs.evolve(blob, blocks=[blob.blocks[0]] * 9 + [blob.blocks[1]])
    manifest = attrs.evolve(manifest, blob_lists=[BlobList(blobs=[many])])
    report = verify_landed(landed, [manifest], level=SAMPLE, sample_every=4)
    assert report.count("ranges") == 4
    assert report.is_ok


class Service:
    """
    A container that keeps types and block lists, over a folder.
    """

    def __init__(self, folder, *, blob_type=BlobType.BLOCK, lengths=(4 * MIB, MIB + 3)):
        self._folder = folder
        self._blob_type = blob_type
        self._lengths = lengths
        self.container = folder.container
        self.read = folder.read

    def find(self, name):
        found = self._folder.find(name)
        blob_type = BlobType.PAGE if name.endswith("vhd") else self._blob_type
        return LandedBlob(length=found.length, blob_type=blob_type)

    def block_lengths(self, name):
        return self._lengths


def test_verify_landed_with_the_manifests_blocks_counts_the_block_lists(prepared, landed):
    report = verify_landed(Service(landed), [prepared.manifest], level=NAMES)
    assert report.is_ok
    assert report.count("block-lists") == 1


def test_verify_landed_with_other_blocks_says_so(prepared, landed):
    service = Service(landed, lengths=(5 * MIB, 3))
    failure = only(verify_landed(service, [prepared.manifest], level=NAMES))
    assert (failure.code, failure.subject) == ("block-list-differs", "backups/seed/one.zst")


def test_verify_landed_with_another_blob_type_says_so(prepared, landed):
    service = Service(landed, blob_type="AppendBlob")
    report = verify_landed(service, [prepared.manifest], level=NAMES)
    assert [(one.code, one.found) for one in report.failures] == [
        ("blob-type-differs", "AppendBlob")
    ] * 2


def test_verify_landed_cancelled_by_its_listener_stops(prepared, landed):
    class CancelledError(Exception):
        pass

    def listen(event):
        raise CancelledError

    with pytest.raises(CancelledError):
        verify_landed(landed, [prepared.manifest], on_event=listen)


@pytest.mark.parametrize("name", ["../secret", "/etc/hosts", "a//b", "", "a/../../b"])
def test_folder_landed_with_a_name_that_leaves_it_is_refused(landed, name):
    with pytest.raises(UnsafeNameError):
        landed.find(name)
    with pytest.raises(UnsafeNameError):
        landed.read(name, 0, 1)
