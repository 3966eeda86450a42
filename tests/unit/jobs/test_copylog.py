import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offlineseed.errors import CopyLogError
from offlineseed.findings import Severity
from offlineseed.jobs import parse_copy_log

CLASSIC = b"""\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>
<DriveLog Version="2014-11-01">
  <DriveId>WD-WMATV123456</DriveId>
  <Blob Status="CompletedWithErrors">
    <BlobPath>pictures/animals/koala.jpg</BlobPath>
    <FilePath>\\animals\\koala.jpg</FilePath>
    <Length>163840</Length>
    <ImportDisposition Status="Overwritten">overwrite</ImportDisposition>
    <PageRangeList>
      <PageRange Offset="0" Length="65536" Hash="AA2585F6" Status="Corrupted" />
      <PageRange Offset="65536" Length="65536" Hash="B4" Status="Completed" />
    </PageRangeList>
    <Metadata Status="Completed"><GlobalPath Hash="E3">\\m.xml</GlobalPath></Metadata>
  </Blob>
  <Blob Status="CompletedWithErrors">
    <BlobPath>pictures/animals/kangaroo.jpg</BlobPath>
    <FilePath>\\animals\\kangaroo.jpg</FilePath>
    <Length>163840</Length>
    <ImportDisposition Status="Created">rename</ImportDisposition>
    <BlockList>
      <Block Offset="0" Length="65536" Id="AAAAAA==" Hash="9C" Status="Committed" />
      <Block Offset="65536" Length="65536" Id="AQAAAA==" Hash="DF" Status="Corrupted" />
      <Block Offset="131072" Length="32768" Id="AgAAAA==" Hash="9E" Status="Uncommitted" />
    </BlockList>
    <Metadata Status="Cancelled"><Path Hash="6D">\\m.xml</Path></Metadata>
    <Properties Status="XmlReadFailed"><Path Hash="9F">\\p.xml</Path></Properties>
  </Blob>
  <Blob Status="FileNotFound">
    <BlobPath>pictures/animals/emu.jpg</BlobPath>
    <FilePath>\\animals\\emu.jpg</FilePath>
    <Length>10</Length>
    <ImportDisposition Status="Cancelled">rename</ImportDisposition>
    <BlockList><Block Offset="0" Length="10" Id="AA==" Status="Cancelled" /></BlockList>
  </Blob>
  <Blob Status="Completed">
    <BlobPath>pictures/animals/wombat (1).jpg</BlobPath>
    <FilePath>\\animals\\wombat.jpg</FilePath>
    <Length>10</Length>
    <ImportDisposition Status="Renamed">rename</ImportDisposition>
    <BlockList><Block Offset="0" Length="10" Id="AA==" Status="Completed" /></BlockList>
  </Blob>
  <Status>CompletedWithErrors</Status>
</DriveLog>
"""

LATER = b"""<ErroredEntity CloudFormat="BlockBlob" Path="pictures/emu.jpg">
  <Category>UploadErrorCloudHttp</Category>
  <ErrorCode>400</ErrorCode>
  <ErrorMessage>UnsupportedHeader</ErrorMessage>
  <Type>File</Type>
</ErroredEntity>
<ErroredEntity Path="My_Container">
  <Category>ContainerRenamed</Category>
  <ErrorCode>1</ErrorCode>
  <ErrorMessage>The original container/share/blob has been renamed</ErrorMessage>
  <Type>Container</Type>
</ErroredEntity>
<CopyLog Summary="Summary">
  <DriveLogVersion>2021-08-01</DriveLogVersion>
  <DriveId>184020D95632</DriveId>
  <Status>CompletedWithErrors</Status>
  <TotalFiles_Blobs>50</TotalFiles_Blobs>
  <FilesErrored>1</FilesErrored>
  <Summary>
    <ValidationErrors><None Count="3" /></ValidationErrors>
    <CopyErrors><CloudHttp Count="1" Description="Refused" /></CopyErrors>
  </Summary>
</CopyLog>
"""

VERBOSE = b"""<?xml version="1.0"?>
<File CloudFormat="BlockBlob" Path="pictures/a.jpg" Size="7" crc64="1" ETag="2" />
<?xml version="1.0"?>
<File CloudFormat="BlockBlob" Path="pictures/b.jpg" Size="8" crc64="1" />
<CopyLog><DriveId>D</DriveId><Status>Completed</Status></CopyLog>
"""


def codes(found):
    return [finding.code for finding in found.findings()]


def test_parse_copy_log_classic_reads_drive_and_blobs():
    log = parse_copy_log(CLASSIC)
    assert (log.version, log.drive_id, log.status) == (
        "2014-11-01",
        "WD-WMATV123456",
        "CompletedWithErrors",
    )
    assert log.is_complete
    koala, kangaroo, emu, wombat = log.blobs
    assert koala.is_page_blob
    assert koala.file_path == "\\animals\\koala.jpg"
    assert koala.length == 163840
    assert (koala.import_disposition, koala.disposition_status) == ("overwrite", "Overwritten")
    assert koala.parts[0].hash == "AA2585F6"
    assert kangaroo.parts[1].id == "AQAAAA=="
    assert (kangaroo.metadata_status, kangaroo.properties_status) == ("Cancelled", "XmlReadFailed")
    assert log.failed_blobs() == (koala, kangaroo, emu)
    assert wombat.has_landed


def test_parse_copy_log_names_the_parts_that_are_missing():
    koala, kangaroo, emu, wombat = parse_copy_log(CLASSIC).blobs
    assert [part.offset for part in koala.parts_to_upload] == [0]
    assert [part.offset for part in kangaroo.parts_to_upload] == [65536]
    assert [part.offset for part in emu.parts_to_upload] == [0]
    assert wombat.parts_to_upload == ()


def test_copy_log_findings_name_blob_part_and_next_step():
    findings = parse_copy_log(CLASSIC).findings()
    assert [(finding.code, finding.subject.rpartition("/")[2]) for finding in findings] == [
        ("drive-completed-with-errors", "WD-WMATV123456"),
        ("blob-completed-with-errors", "koala.jpg"),
        ("disposition-overwritten", "koala.jpg"),
        ("page-range-corrupted", "koala.jpg"),
        ("blob-completed-with-errors", "kangaroo.jpg"),
        ("block-committed", "kangaroo.jpg"),
        ("block-corrupted", "kangaroo.jpg"),
        ("block-uncommitted", "kangaroo.jpg"),
        ("properties-xml-read-failed", "kangaroo.jpg"),
        ("blob-file-not-found", "emu.jpg"),
        ("disposition-renamed", "wombat (1).jpg"),
    ]
    corrupted = findings[3]
    assert "offset 0, 65536 bytes" in corrupted.message
    assert "upload" in corrupted.message
    assert corrupted.severity is Severity.ERROR
    assert findings[-1].severity is Severity.WARNING


def test_parse_copy_log_later_reads_fragments_and_summary():
    log = parse_copy_log(LATER)
    assert (log.version, log.drive_id) == ("2021-08-01", "184020D95632")
    assert (log.total_count, log.errored_count) == (50, 1)
    assert [(line.section, line.name, line.count) for line in log.summary] == [
        ("ValidationErrors", "None", 3),
        ("CopyErrors", "CloudHttp", 1),
    ]
    assert log.summary[1].description == "Refused"
    emu, container = log.blobs
    assert not emu.has_landed
    assert emu.parts_to_upload == ()
    assert container.has_landed
    assert codes(log) == [
        "drive-completed-with-errors",
        "blob-upload-error-cloud-http",
        "blob-container-renamed",
    ]
    assert "UnsupportedHeader (400)" in log.findings()[1].message


def test_parse_copy_log_later_verbose_lists_what_landed():
    log = parse_copy_log(VERBOSE)
    assert [(blob.blob_path, blob.length, blob.has_landed) for blob in log.blobs] == [
        ("pictures/a.jpg", 7, True),
        ("pictures/b.jpg", 8, True),
    ]
    assert log.findings() == ()


def test_parse_copy_log_of_2018_reads_renamed_containers():
    log = parse_copy_log(
        b'<DriveLog Version="2018-10-01"><DriveId>D</DriveId><Blob Status="ContainerRenamed">'
        b"<BlobPath>c/a</BlobPath><OriginalFilePath>C_1\\a</OriginalFilePath>"
        b"<SizeInBytes>5</SizeInBytes></Blob><Status>Completed</Status>"
        b'<Summary><ValidationErrors><ContainerRenamed Count="1" Description="x"/>'
        b"</ValidationErrors></Summary></DriveLog>"
    )
    (blob,) = log.blobs
    assert (blob.file_path, blob.length, blob.has_landed) == ("C_1\\a", 5, True)
    assert log.summary[0].count == 1


def test_parse_copy_log_order_attributes_and_case_do_not_matter():
    log = parse_copy_log(
        b'<ns:drivelog xmlns:ns="urn:x"><Status> DiskNotFound </Status>'
        b'<Blob status="IOFailed"><LastModified>x</LastModified><Length>7</Length>'
        b"<BlobPath>c/a</BlobPath></Blob><DriveID>D</DriveID></ns:drivelog>"
    )
    assert (log.drive_id, log.status, log.version) == ("D", "DiskNotFound", "")
    assert log.blobs[0].length == 7
    assert codes(log) == ["drive-disk-not-found", "blob-io-failed"]
    assert log.findings()[0].severity is Severity.ERROR


def test_parse_copy_log_new_words_survive():
    log = parse_copy_log(
        b'<DriveLog><Status>Eaten</Status><Blob Status="Vaporised"><BlobPath>c/a</BlobPath></Blob>'
        b"</DriveLog>"
    )
    assert codes(log) == ["drive-eaten", "blob-vaporised"]
    assert "Vaporised" in log.findings()[1].message


def test_parse_copy_log_skipped_blob_has_not_landed():
    log = parse_copy_log(
        b'<DriveLog><Blob Status="Completed"><BlobPath>c/a</BlobPath>'
        b'<ImportDisposition Status="Skipped">no-overwrite</ImportDisposition></Blob></DriveLog>'
    )
    assert log.failed_blobs() == log.blobs
    assert codes(log) == ["disposition-skipped"]


def test_parse_copy_log_torn_gives_what_stands_before():
    torn = parse_copy_log(CLASSIC[: CLASSIC.index(b"emu.jpg")])
    assert not torn.is_complete
    assert [blob.blob_path for blob in torn.blobs] == [
        "pictures/animals/koala.jpg",
        "pictures/animals/kangaroo.jpg",
    ]
    assert codes(torn)[0] == "copy-log-torn"


def test_parse_copy_log_utf_16_is_read():
    text = CLASSIC.decode("utf-8-sig").replace("utf-8", "utf-16")
    assert parse_copy_log(text.encode("utf-16")).blobs == parse_copy_log(CLASSIC).blobs


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG",
        b"<html><body/></html>",
        b"not xml <",
        b'<!DOCTYPE x [<!ENTITY a "b">]><DriveLog/>',
        b"\xff" * 9,
    ],
    ids=["empty", "binary", "html", "text", "document type", "no text"],
)
def test_parse_copy_log_of_something_else_is_a_copy_log_error(data):
    with pytest.raises(CopyLogError, match="no copy log"):
        parse_copy_log(data)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_parse_copy_log_of_anything_parses_or_says_so(data):
    for head in (b"", b"<DriveLog><Blob>", b"<CopyLog>"):
        try:
            parse_copy_log(head + data)
        except CopyLogError:
            continue


@settings(max_examples=50, deadline=None)
@given(cut=st.integers(0, len(CLASSIC)))
def test_parse_copy_log_cut_anywhere_never_invents_a_blob(cut):
    try:
        log = parse_copy_log(CLASSIC[:cut])
    except CopyLogError:
        return
    assert log.blobs == parse_copy_log(CLASSIC).blobs[: len(log.blobs)]
