"""
What the page on formats says, held against what is written: its reader restores, its tables agree.
"""

import datetime as dt
import hashlib
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

import offlineseed as osd
from offlineseed.drives import DrivePlan, MemoryKeyStore
from offlineseed.handover import Handover, HandoverStage
from offlineseed.jobs import (
    DeliveryPackage,
    ImportJob,
    JobDrive,
    ShippingRecord,
    render_shipping_record,
)
from offlineseed.manifest import BlobType
from offlineseed.seed import catalog_name, fetch_catalog, read_seal, segment_name
from offlineseed.verify import FolderLanded
from offlineseed.workflow import AllottedDrive, Machine, Workload
from offlineseed.workflow._documents import (
    JOB_FILE,
    SHIPPING_FILE,
    WORKFLOW_FILE,
    SeenJob,
    WorkflowRecord,
    render_seen_job,
    render_workflow,
)

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "explanation" / "formats.md"
CHUNK = 64 << 10


def section(title):
    text = PAGE.read_text("utf-8")
    level, start = re.search(rf"^(#+) `?{re.escape(title)}`?\n", text, re.MULTILINE).span(0)
    marks = text[level:start].split(" ")[0]
    end = re.compile(rf"^#{{1,{len(marks)}}} ", re.MULTILINE).search(text, start)
    return text[start : end.start() if end else None]


def rows(title):
    """
    Return a section's table rows as (what its first cell names, second cell).
    """
    found = []
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found += [(name, cells[1]) for name in re.findall(r"`([^`]+)`", cells[0])]
    return found


def fill(folder):
    rng = b"".join(number.to_bytes(4, "big") * 7 for number in range(20_000))
    for name, content in {
        "small.txt": b"some text\n" * 40,
        "empty": b"",
        "whole chunk": rng[:CHUNK],
        "chunk and one": rng[: CHUNK + 1],
        "large": rng * 2,
        "deep/er/Grüße ~ 100%.txt": b"\0" * 500,
        "deep/two\nlines": b"a line feed in the name",
        "deep/again": b"some text\n" * 40,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with (folder / "holes").open("wb") as file:
        file.seek(3 * CHUNK + 5)
        file.write(b"behind the hole")
        file.truncate(9 * CHUNK)
    (folder / "link").symlink_to("no such target")
    (folder / "deep" / "up").symlink_to("../small.txt")
    (folder / "empty folder").mkdir()
    (folder / "small.txt").chmod(0o604)
    for number, path in enumerate(sorted(folder.rglob("*"), reverse=True)):
        when = 1_500_000_000_123_456_789 + number
        os.utime(path, ns=(when, when), follow_symlinks=False)


def state_of(folder):
    def describe(path):
        status = path.lstat()
        if path.is_symlink():
            return "link", os.readlink(path), status.st_mtime_ns
        content = None if path.is_dir() else path.read_bytes()
        return status.st_mode, status.st_mtime_ns, content

    return {p.relative_to(folder).as_posix(): describe(p) for p in folder.rglob("*")}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """
    Return a staged job with two generations, an opaque blob and a prepared drive.
    """
    folder = tmp_path_factory.mktemp("formats")
    settings = osd.SeedSettings(
        staging_location=str(folder / "staging"),
        import_job_name="nightly",
        subscription_id="00000000-0000-0000-0000-000000000000",
        storage_account="examplestorage",
        container="seed",
    )
    job = osd.StagingLocation(settings.staging_location).create(settings)
    source = folder / "source-0"
    fill(source)
    options = osd.SeedOptions(chunk_bytes=CHUNK, segment_bytes=8 * CHUNK)
    with job.write_seed(options=options) as writer:
        writer.add_tree(source)
        writer.seal()
    job.add_blob(source / "large", "images/disk.vhd", blob_type=BlobType.BLOCK)
    drive = osd.Drive(drive_id="D1", path=folder / "drive", size_bytes=64 << 20)
    volumes = osd.DirectoryVolumes()
    space = osd.DriveSpace(drive_id="D1", capacity=volumes.capacity(drive))
    (plan,) = osd.DrivePlanner().plan(job.blobs(), [space])
    osd.DrivePreparer(
        volumes=volumes, keys=MemoryKeyStore(), storage_account_key=osd.Secret("a2V5")
    ).prepare(job, plan, drive=drive, consent=osd.Consent(drive_id="D1", size_bytes=64 << 20))
    second = folder / "source-1"
    shutil.copytree(source, second, symlinks=True)
    (second / "large").unlink()
    (second / "new").write_bytes(b"new" * CHUNK)
    with (
        job.reader() as reader,
        osd.SeedWriter(job.store, folder / "inc.sqlite", baseline=reader.catalog) as writer,
    ):
        writer.add_tree(second)
        writer.seal()
    return job


@pytest.fixture
def reader_program(tmp_path):
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", section("A reader in Python"), re.MULTILINE | re.DOTALL
    )
    program = tmp_path / "reader.py"
    program.write_text(code, "utf-8")
    return program


def read(program, store, generation, target):
    command = [sys.executable, "-I", str(program), str(store), str(generation), str(target)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


@pytest.mark.skipif(os.name == "nt", reason="the page's reader is for POSIX systems")
@pytest.mark.parametrize("generation", [0, 1])
def test_reader_of_the_page_restores_a_generation_exactly(
    job, generation, reader_program, tmp_path
):
    told = read(reader_program, job.folder, generation, tmp_path / "out")

    assert told.stderr == ""
    assert told.returncode == 0
    source = job.folder.parent.parent / f"source-{generation}"
    assert state_of(tmp_path / "out") == state_of(source)


@pytest.mark.skipif(os.name == "nt", reason="the page's reader is for POSIX systems")
@pytest.mark.parametrize("generation", [0, 1])
def test_reader_of_the_page_restores_the_golden_seed(generation, reader_program, tmp_path):
    golden = PAGE.parent.parent.parent / "tests" / "golden" / "seed" / "1.0"
    expected = json.loads((golden / "expected.json").read_text())[generation]["items"]
    out = os.fsencode(tmp_path / "out")

    told = read(reader_program, golden / "store", generation, tmp_path / "out")

    assert told.stderr == ""
    for name, item in expected.items():
        path = os.path.join(out, name.encode("latin-1"))
        status = os.lstat(path)
        assert status.st_mtime_ns == item["mtime_ns"]
        if item["kind"] == "SYMLINK":
            assert os.path.islink(path)
            continue
        assert stat.S_IMODE(status.st_mode) == item["mode"]
        if item["kind"] == "FILE":
            with open(path, "rb") as file:
                assert hashlib.sha256(file.read()).hexdigest() == item["sha256"]


@pytest.mark.parametrize("name", [catalog_name(0), segment_name(0, 0)])
def test_reader_of_the_page_refuses_what_was_changed(job, name, reader_program, tmp_path):
    store = tmp_path / "store"
    for folder in ("seals", "catalogs", "segments"):
        shutil.copytree(job.folder / folder, store / folder)
    content = bytearray((store / name).read_bytes())
    content[30] ^= 1
    (store / name).write_bytes(content)

    told = read(reader_program, store, 0, tmp_path / "out")

    assert told.returncode != 0


def test_reader_of_the_page_uses_the_standard_library_and_zstandard_only(reader_program):
    imports = re.findall(
        r"^(?:import|from) ([\w, ]+?)(?: import.*)?$",
        reader_program.read_text("utf-8"),
        re.MULTILINE,
    )
    names = {name for line in imports for name in line.split(", ")}

    assert names - set(sys.stdlib_module_names) == {"zstandard"}


@pytest.fixture
def catalog(job, tmp_path):
    path = tmp_path / "catalog.sqlite"
    packed = (job.folder / catalog_name(1)).read_bytes()
    path.write_bytes(zstandard.ZstdDecompressor().decompress(packed))
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


@pytest.mark.parametrize("table", ["meta", "segment", "chunk", "item", "extent", "finding"])
def test_page_lists_every_column_with_its_type_and_whether_it_may_be_null(catalog, table):
    columns = catalog.execute(f"PRAGMA table_info({table})").fetchall()
    written = [
        (name, kind or "any", not not_null and not is_key)
        for _, name, kind, not_null, _, is_key in columns
    ]

    told = [
        (name, kind.removesuffix(" or NULL"), "NULL" in kind or kind == "any")
        for name, kind in rows(table)
    ]

    assert told[: len(written)] == written


def test_page_lists_every_table_and_key(catalog):
    tables = {name for (name,) in catalog.execute("SELECT tbl_name FROM sqlite_master")}
    keys = dict(catalog.execute("SELECT key, typeof(value) FROM meta"))

    told = dict(rows("meta")[2:])

    assert tables == {"meta", "segment", "chunk", "item", "extent", "finding"}
    assert set(told) == set(keys)
    assert [key for key, kind in keys.items() if kind.upper() not in told[key]] == []


def test_page_tells_the_application_id(catalog):
    (number,) = catalog.execute("PRAGMA application_id").fetchone()

    assert f"`0x{number:08X}`" in section("The catalog")


def test_fetched_catalog_has_the_one_key_more_that_the_page_tells(job, tmp_path):
    fetch_catalog(job.store, read_seal(job.store, 0), tmp_path / "fetched")
    connection = sqlite3.connect(tmp_path / "fetched")
    keys = {key for (key,) in connection.execute("SELECT key FROM meta")}
    connection.close()

    assert keys - set(dict(rows("meta"))) == {"fetched_digest"}


def test_page_lists_every_finding_that_staging_makes():
    source = Path(osd.__file__).with_name("seed") / "_source.py"
    codes = set(re.findall(r'"((?:item|staging)-[a-z-]+)"', source.read_text("utf-8")))

    assert codes == {name for name, _ in rows("finding")[3:]}


def members(path):
    return list(json.loads(path.read_bytes()))


def test_page_lists_every_member_of_the_json_files(job):
    drive = job.folder / "drives" / "D1"
    written = {
        "Seals and generations": members(job.folder / "seals" / "g0001.json"),
        "seed.json": members(job.folder / "seed.json"),
        "blobs/index.json": list(json.loads((job.folder / "blobs/index.json").read_bytes())[0]),
        "prepared.json": members(drive / "prepared.json"),
    }

    told = {title: sorted(name for name, _ in rows(title)) for title in written}

    assert told == {title: sorted(names) for title, names in written.items()}


def test_page_lists_every_member_of_what_the_workflow_keeps():
    now = dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc)
    record = WorkflowRecord(
        source=Machine(host="source"),
        drives=[
            AllottedDrive(
                plan=DrivePlan(drive_id="D1", runs=((0, 3),), blobs=3, total_bytes=9, digest="0"),
                size_bytes=10,
            )
        ],
    )
    seen = SeenJob(
        job=ImportJob(name="nightly", location="West Europe", drives=[JobDrive(drive_id="D1")]),
        seen_at=now,
        created_at=now,
    )
    shipped = ShippingRecord(
        package=DeliveryPackage(carrier_name="FedEx", tracking_number="1Z"), entered_at=now
    )
    written = {
        WORKFLOW_FILE: json.loads(render_workflow(record)),
        JOB_FILE: json.loads(render_seen_job(seen)),
        SHIPPING_FILE: json.loads(render_shipping_record(shipped)),
    }

    told = {title: sorted(name for name, _ in rows(title)) for title in written}

    assert told == {title: sorted(document) for title, document in written.items()}
    inner = [*written[WORKFLOW_FILE]["drives"][0], *written[WORKFLOW_FILE]["source"]]
    assert [name for name in inner if f"`{name}`" not in section(WORKFLOW_FILE)] == []
    assert [each for each in Workload if f"`{each.value}`" not in section(WORKFLOW_FILE)] == []


def test_page_lists_every_record_of_a_journal_and_its_members(job):
    lines = (job.folder / "drives" / "D1" / "journal.jsonl").read_text("ascii").splitlines()
    told = dict(rows("journal.jsonl"))

    for line in lines:
        record = json.loads(line)
        kind = record.pop("record")
        assert [name for name in record if f"`{name}`" not in told[kind]] == []
    assert len(lines) == 4 + sum(1 for _ in job.blobs())


def test_page_lists_every_member_of_a_hand_over(job, tmp_path):
    shutil.copytree(job.folder.parent.parent / "drive", tmp_path / "seed")
    landed, store = FolderLanded(tmp_path, "seed"), osd.FolderStore(tmp_path / "seed" / "nightly")
    handover = Handover(job, landed, store=store)

    handover.verify().raise_if_failed()

    assert [name for name, _ in rows("handover.json")] == members(job.folder / "handover.json")
    stages = [f"`{stage.value}`" for stage in HandoverStage]
    assert [stage for stage in stages if stage not in section("handover.json")] == []


def test_page_lists_everything_that_lies_in_a_job(job):
    told = section("The staging location").replace("<drive id>", "D1")
    paths = [p.relative_to(job.folder).as_posix() for p in job.folder.rglob("*") if p.is_file()]
    seed = ("segments/", "catalogs/", "seals/")

    assert [path for path in paths if f"`{path}`" not in told and not path.startswith(seed)] == []


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_catalog_unpacked_by_zstd_has_the_digest_of_the_seal(job):
    told = subprocess.run(
        f"zstd -dc '{job.folder / catalog_name(0)}' | sha256sum",
        shell=True,
        check=True,
        capture_output=True,
        text=True,
    )

    assert told.stdout.split()[0] == read_seal(job.store, 0).digest


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_segment_unpacked_by_zstd_is_its_chunks_one_after_another(job, catalog):
    for segment, name in catalog.execute("SELECT id, name FROM segment WHERE generation = 1"):
        unpacked = subprocess.run(
            ["zstd", "-dc", job.folder / name], check=True, capture_output=True
        ).stdout
        chunks = catalog.execute(
            "SELECT digest, length FROM chunk WHERE segment = ? ORDER BY offset", (segment,)
        ).fetchall()
        for digest, length in chunks:
            assert hashlib.sha256(unpacked[:length]).digest() == digest
            unpacked = unpacked[length:]
        assert chunks
        assert unpacked == b""
