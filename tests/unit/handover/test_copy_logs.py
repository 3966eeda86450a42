import pytest

from offlineseed.errors import CopyLogError
from offlineseed.handover import read_copy_log, read_drive_logs
from offlineseed.jobs import JobDrive

LOG = b'<DriveLog Version="2014-11-01"><DriveId>A</DriveId><Status>%s</Status></DriveLog>'


class _Account:
    url = "https://seedaccount.blob.core.windows.net/"


def test_logs_of_a_drive_come_with_the_verbose_one_first(tmp_path):
    for name, status in (("error log.xml", b"CompletedWithErrors"), ("verbose.xml", b"Verbose")):
        (tmp_path / name).write_bytes(LOG % status)
    drive = JobDrive(
        drive_id="A",
        error_log_uri=(tmp_path / "error log.xml").as_uri(),
        verbose_log_uri=(tmp_path / "verbose.xml").as_uri(),
    )
    assert [log.status for log in read_drive_logs(drive)] == ["Verbose", "CompletedWithErrors"]
    assert read_drive_logs(JobDrive(drive_id="A")) == ()


def test_log_in_azure_wants_a_client_of_its_account():
    with pytest.raises(CopyLogError, match="give a client"):
        read_copy_log("https://seedaccount.blob.core.windows.net/logs/a.xml")
    with pytest.raises(CopyLogError, match="not in this account"):
        read_copy_log("https://other.blob.core.windows.net/logs/a.xml?sig=secret", _Account())
