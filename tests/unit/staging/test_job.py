import os
import random
import subprocess
import sys
import time

import pytest
import xxhash

from offlineseed.errors import (
    GenerationSealedError,
    SegmentMissingError,
    StagingError,
    StagingFullError,
    StagingLockedError,
)
from offlineseed.events import FindingSeen, GenerationSealed
from offlineseed.manifest import BlobType
from offlineseed.seed import FolderStore, SeedOptions

KIB = 1024


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    (source / "folder").mkdir(parents=True)
    chosen = random.Random(1)
    for number in range(10):
        (source / "folder" / f"{number}").write_bytes(chosen.randbytes(number * 20_000))
    return source


def stage(job, source, options, **arguments):
    with job.write_seed(options=options, **arguments) as writer:
        writer.add_tree(source)
        return writer.seal()


def test_seed_staged_is_read_back(job, source, options, tmp_path, snapshot):
    assert job.seal is None
    seal = stage(job, source, options)
    assert job.seal == seal
    with job.reader(expected_digest=seal.digest) as reader:
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(source)


def test_blobs_are_segments_catalog_seal_and_opaque_ones_with_their_checksums(
    job, source, options, tmp_path
):
    (tmp_path / "disk").write_bytes(bytes(1024))
    job.add_blob(tmp_path / "disk", "disk.vhd", blob_type=BlobType.PAGE)
    stage(job, source, options)
    blobs = list(job.blobs())
    assert [blob.path for blob in blobs] == [
        "nightly/segments/g0000-000000.zst",
        "nightly/segments/g0000-000001.zst",
        "nightly/catalogs/g0000.sqlite.zst",
        "nightly/seals/g0000.json",
        "disk.vhd",
    ]
    for blob in blobs:
        content = blob.source.read_bytes()
        assert blob.length == len(content)
        assert blob.checksum == f"xxh3-128:{xxhash.xxh3_128_hexdigest(content)}"
    assert {blob.blob_type for blob in blobs[:-1]} == {BlobType.BLOCK}


def test_blobs_of_a_seed_that_is_not_sealed_are_refused(job, source, options):
    assert list(job.blobs()) == []
    with job.write_seed(options=options) as writer:
        writer.add_tree(source)
    assert job.seal is None
    with pytest.raises(StagingError, match="not sealed"):
        list(job.blobs())
    with pytest.raises(SegmentMissingError):
        job.reader()


def test_seal_is_none_while_a_writer_is_at_work(job, source, options):
    with job.write_seed(options=options) as writer:
        writer.add_tree(source)
        assert job.seal is None
        with pytest.raises(StagingError, match="not sealed"):
            list(job.blobs())
        seal = writer.seal()
    assert job.seal == seal


def test_second_writer_is_refused_by_name(job, source, options, location):
    with job.write_seed(options=options):
        other = location.open("nightly")
        with pytest.raises(StagingLockedError) as caught, other.write_seed():
            pass
        assert caught.value.pid == os.getpid()
        with pytest.raises(StagingLockedError):
            other.add_blob(source / "folder" / "1", "blob", blob_type=BlobType.BLOCK)


WRITE = """
import sys, time
from pathlib import Path
from offlineseed.seed import SeedOptions
from offlineseed.staging import StagingLocation
job = StagingLocation(sys.argv[1]).open("nightly")
options = SeedOptions(chunk_bytes=1 << 16, segment_bytes=1 << 19, workers=2)
with job.write_seed(options=options) as writer:
    writer.add_tree(sys.argv[2])
    writer.checkpoint()
    print("held", flush=True)
    time.sleep(60)
"""


def test_writer_that_was_killed_is_succeeded(job, source, options, location, tmp_path, snapshot):
    arguments = [sys.executable, "-c", WRITE, location.path, source]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StagingLockedError) as caught, job.write_seed(options=options):
            pass
        assert caught.value.pid == process.pid
        process.kill()
    assert job.seal is None
    seal = stage(job, source, options)
    assert seal.items == 11
    with job.reader() as reader:
        reader.restore(tmp_path / "out")
    assert snapshot(tmp_path / "out") == snapshot(source)


def test_sealed_seed_takes_nothing_more(job, source, options):
    stage(job, source, options)
    with pytest.raises(GenerationSealedError), job.write_seed(options=options):
        pass
    assert job.seal is not None


def test_crash_between_sealing_and_publishing_is_mended(job, source, options, monkeypatch):
    class Crash(BaseException):
        pass

    def crash(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr("offlineseed.seed._writer.publish_seal", crash)
        with pytest.raises(Crash):
            stage(job, source, options)
    assert not list(job.store.names("seals/"))
    seal = job.seal
    assert seal is not None
    assert seal.items == 11
    assert len(list(job.blobs())) == 4


def test_seal_of_a_catalog_that_a_crash_left_half_written_is_none(job, source, options):
    # The first transaction was not complete: there is a journal, and perhaps nothing else.
    job.catalog_path.touch()
    assert job.seal is None
    job.catalog_path.with_name("catalog.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9" * 200)
    assert job.seal is None
    job.catalog_path.with_name("catalog.sqlite-journal").unlink()
    assert stage(job, source, options).items == 11


def test_events_are_passed_on(job, source, options):
    events = []
    os.mkfifo(source / "pipe")
    seal = stage(job, source, options, on_event=events.append)
    assert events[-1] == GenerationSealed(
        generation=0,
        digest=seal.digest,
        items=11,
        content_bytes=seal.content_bytes,
        stored_bytes=seal.stored_bytes,
    )
    assert [event.finding.subject for event in events if isinstance(event, FindingSeen)] == ["pipe"]


def test_source_that_holds_the_job_is_staged_without_it(job, options, tmp_path):
    (tmp_path / "file").write_text("x")
    with job.write_seed(options=options) as writer:
        writer.add_tree(tmp_path)
        writer.seal()
    with job.reader() as reader:
        assert [item.name for item in reader.items()] == ["file", "staging"]


# Space.


def test_too_little_space_is_refused_before_anything_is_written(job, options):
    with (
        pytest.raises(StagingFullError) as caught,
        job.write_seed(options=options, needed_bytes=1 << 60),
    ):
        pass
    assert caught.value.needed_bytes == 1 << 60
    assert 0 < caught.value.free_bytes < 1 << 60
    assert not job.catalog_path.exists()
    with job.lock():
        pass


def test_space_below_the_reserve_stops_writing_and_what_was_acknowledged_stays(
    job, source, options, tmp_path, snapshot
):
    with job.write_seed(options=options) as writer:
        writer.add_file(source / "folder" / "9")
        writer.checkpoint()
    job.store = FolderStore(job.folder, reserve_bytes=1 << 60)
    with pytest.raises(StagingFullError, match="make room and go on"):
        stage(job, source, options)
    job.store = FolderStore(job.folder)
    with job.write_seed(options=options) as writer:
        writer.add_tree(source)
        writer.seal()
    with job.reader() as reader:
        reader.restore(tmp_path / "out")
        assert reader.read("9") == (source / "folder" / "9").read_bytes()


def test_drive_folder_is_made(job):
    folder = job.drive_folder("9WM35C2V")
    assert folder == job.folder / "drives" / "9WM35C2V"
    assert folder.is_dir()
    assert job.drive_folder("9WM35C2V") == folder


def test_default_options_stage_too(job, source):
    started = time.monotonic()
    with job.write_seed() as writer:
        writer.add_tree(source)
        seal = writer.seal()
    assert seal.items == 11
    assert time.monotonic() - started < 30
    with job.reader() as reader:
        assert reader.catalog.chunk_bytes == SeedOptions().chunk_bytes
