import json

import pytest

from offlineseed.drives._journal import Journal
from offlineseed.errors import DriveError, JournalError

DRIVE = {
    "format": 1,
    "drive_id": "9WM35C2V",
    "size_bytes": 5,
    "plan": "digest",
    "container": "backups",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def write(path, *, blobs=3):
    journal = Journal(path)
    journal.append("drive", **DRIVE)
    journal.append("volume")
    for number in range(blobs):
        journal.append("blob", path=f"blob{number}", length=10, md5="")
    journal.close()
    return path.read_bytes()


def test_journal_reopened_knows_how_far_it_got(path):
    write(path)
    journal = Journal(path)
    state = journal.state
    assert (state.has_volume, state.blobs, state.blob_bytes) == (True, 3, 30)
    assert state.drive == {"record": "drive"} | DRIVE
    assert [record["path"] for record in journal.blobs()] == ["blob0", "blob1", "blob2"]
    journal.close()


def test_journal_cut_at_any_byte_keeps_the_whole_lines_and_goes_on(path):
    whole = write(path)
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        journal = Journal(path)
        kept = path.read_bytes()
        assert kept == whole[: whole[:cut].rfind(b"\n") + 1]
        assert journal.state.blobs == max(0, kept.count(b"\n") - 2)
        journal.close()


def test_journal_appended_after_a_torn_line_is_whole_again(path):
    whole = write(path)
    path.write_bytes(whole[:-5])
    journal = Journal(path)
    journal.append("blob", path="blob2", length=10, md5="")
    journal.close()
    assert path.read_bytes() == whole


def test_journal_with_a_last_line_of_zeros_drops_it(path):
    whole = write(path)
    path.write_bytes(whole + bytes(100))
    Journal(path).close()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", range(4))
def test_journal_damaged_before_its_last_record_is_refused(path, line):
    lines = write(path).splitlines(keepends=True)
    lines[line] = b"{" + lines[line]
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError) as caught:
        Journal(path)
    assert caught.value.context == f"line {line + 1}"
    assert path.read_bytes() == b"".join(lines)


@pytest.mark.parametrize(
    "records",
    [
        [{"record": "volume"}],
        [{"record": "blob", "path": "a", "length": 1}],
        [{"record": "drive"} | DRIVE, {"record": "drive"} | DRIVE],
        [{"record": "drive"} | DRIVE, {"record": "blob", "path": "a", "length": 1}],
        [{"record": "drive"} | DRIVE, {"record": "unheard of"}],
        [{"record": "drive"} | DRIVE, {"record": ["volume"]}],
        [{"record": "drive"} | DRIVE | {"size_bytes": True}],
        [{"record": "drive"} | DRIVE | {"format": 2}],
        [
            {"record": "drive"} | DRIVE,
            {"record": "volume"},
            {"record": "sealed", "manifest_hash": "", "cache_bypass": "direct"},
        ],
    ],
    ids=[
        "volume first",
        "blob first",
        "two drives",
        "blob without volume",
        "unknown record",
        "kind is a list",
        "a truth for a size",
        "newer format",
        "seal without manifest",
    ],
)
def test_journal_with_records_that_can_not_be_is_refused(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(JournalError):
        Journal(path)


def test_journal_about_another_plan_is_refused_by_name(path):
    write(path)
    journal = Journal(path)
    journal.require_about(DRIVE)
    with pytest.raises(JournalError) as caught:
        journal.require_about(DRIVE | {"plan": "another"})
    assert caught.value.context == "plan"
    journal.close()


def test_journal_opened_twice_is_refused_until_it_is_closed(path):
    journal = Journal(path)
    with pytest.raises(DriveError, match="another process"):
        Journal(path)
    journal.close()
    Journal(path).close()


def test_journal_cleared_begins_anew(path):
    write(path)
    journal = Journal(path)
    journal.clear()
    journal.append("drive", **DRIVE)
    journal.close()
    assert path.read_bytes().count(b"\n") == 1
