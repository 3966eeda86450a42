import pickle

import pytest

from offlineseed.errors import VerificationError
from offlineseed.findings import Finding
from offlineseed.reports import ReportBuilder


def test_report_without_failures_is_ok_and_raises_nothing():
    builder = ReportBuilder("drive A")
    builder.count("ranges", 3)
    builder.count("ranges")
    report = builder.build()
    assert report.is_ok
    assert (report.count("ranges"), report.count("files")) == (4, 0)
    report.raise_if_failed()


def test_report_with_failures_raises_with_itself_and_shows_the_first():
    builder = ReportBuilder("drive A")
    for number in range(5):
        builder.fail(
            "range-differs", f"file{number}", offset=4, length=2, expected="AA", found="BB"
        )
    report = builder.build()
    with pytest.raises(VerificationError, match="and 2 more") as caught:
        report.raise_if_failed()
    assert caught.value.report is report
    assert "file0 at 4+2: range-differs, expected AA, found BB" in str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).report == report


def test_report_keeps_the_first_failures_and_counts_all():
    builder = ReportBuilder("drive A")
    for number in range(10_050):
        builder.fail("file-missing", str(number), expected="present", found="none")
    report = builder.build()
    assert (len(report.failures), report.failure_count) == (10_000, 10_050)
    assert report.failures[-1].subject == "9999"
    other = ReportBuilder("all")
    other.fail("file-extra", "x", expected="none", found="1 bytes")
    other.add_findings([Finding(code="c", subject="s", message="m")])
    other.merge(report)
    merged = other.build()
    assert (len(merged.failures), merged.failure_count) == (10_000, 10_051)
    assert len(merged.findings) == 1


def test_report_merged_adds_counts():
    one, two = ReportBuilder("one"), ReportBuilder("two")
    one.count("files", 2)
    two.count("files", 3)
    two.count("bytes", 7)
    one.merge(two.build())
    assert one.build().checks == (("bytes", 7), ("files", 5))
