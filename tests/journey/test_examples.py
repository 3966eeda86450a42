"""
The examples, run as a reader would run them, on a small folder with odd names.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offlineseed.bitlocker import RecoveryPassword
from offlineseed.verify import verify_drive
from offlineseed.volumes import Drive, NativeVolumes

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = {path.name: path for path in sorted((ROOT / "examples").glob("[!_]*.py"))}
LONGEST_EXAMPLE = 200


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "a customer's data"
    for name, content in {
        "plain.txt": b"some text\n" * 400,
        "empty": b"",
        "sub folder/Grüße ~ 100%.txt": b"\0" * 70_000,
        "sub folder/two\nlines": b"newline in the name",
        "sub folder/" + "n" * 255: os.urandom(3000),
        "twice/one.bin": b"same" * 50_000,
        "twice/two.bin": b"same" * 50_000,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    (folder / "plain.txt").chmod(0o640)
    (folder / "link").symlink_to("plain.txt")
    (folder / "empty folder").mkdir()
    return folder


def run(name, *arguments, cwd, code=0):
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES[name]), *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == code, ended.stderr
    return ended


def state_of(folder):
    def describe(path):
        status = path.lstat()
        if path.is_symlink():
            return "link", os.readlink(path)
        if path.is_dir():
            return "folder", status.st_mode
        return "file", status.st_mode, status.st_mtime_ns, path.read_bytes()

    return {p.relative_to(folder).as_posix(): describe(p) for p in folder.rglob("*")}


def needs(*names):
    missing = [name for name in names if name not in EXAMPLES]
    return pytest.mark.skipif(bool(missing), reason=f"no such example: {', '.join(missing)}")


@needs("journey.py")
def test_journey_with_a_folder_of_odd_names_restores_it_exactly(source, tmp_path):
    (source / "twice").chmod(0o2755)
    report = tmp_path / "the report.json"
    before = state_of(source)

    told = run("journey.py", source, "--work", tmp_path / "work", "--report", report, cwd=tmp_path)

    assert json.loads(report.read_text("utf-8"))["restored_equal"] is True
    assert told.stdout.strip()
    assert state_of(source) == before


@needs("journey.py")
def test_journey_with_a_pipe_names_it_and_compares_the_rest(source, tmp_path):
    os.mkfifo(source / "sub folder" / "pipe")
    report = tmp_path / "report.json"

    told = run("journey.py", source, "--work", tmp_path / "work", "--report", report, cwd=tmp_path)

    written = json.loads(report.read_text("utf-8"))
    assert written["restored_equal"] is True
    (finding,) = written["findings"]
    assert finding.startswith("sub folder/pipe: ")
    assert finding in told.stderr


@needs("journey.py")
def test_journey_with_drives_too_small_says_so_and_what_to_do(source, tmp_path):
    flags = ("--work", tmp_path / "work", "--drive-bytes", 1 << 20)

    told = run("journey.py", source, *flags, cwd=tmp_path, code=1)

    assert "do not fit" in told.stderr
    assert "add" in told.stderr
    assert "Traceback" not in told.stderr


@needs("stage_folder.py", "restore_folder.py")
def test_folder_staged_and_restored_is_the_same(source, tmp_path):
    staging, restored = tmp_path / "staging", tmp_path / "restored"

    run("stage_folder.py", source, staging, "--job", "first-backup", cwd=tmp_path)
    run("restore_folder.py", staging, "--job", "first-backup", restored, cwd=tmp_path)

    assert state_of(restored) == state_of(source)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_short_and_uses_public_names_only(name):
    text = EXAMPLES[name].read_text("utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    imported = [
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ] + [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    ours = [name for name in imported if name.startswith("offlineseed")]

    assert len(text.splitlines()) < LONGEST_EXAMPLE
    assert ours
    assert [name for name in ours if "._" in name] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_asked_for_help_says_how_it_is_used(name, tmp_path):
    assert "usage" in run(name, "--help", cwd=tmp_path).stdout.lower()


@needs("stage_folder.py", "prepare_drive_image.py")
@pytest.mark.parametrize("cipher", ["xts-128", "cbc-256"])
def test_image_prepared_from_a_staged_job_opens_with_its_reports_password(source, tmp_path, cipher):
    staging, image, report = tmp_path / "staging", tmp_path / "drive.img", tmp_path / "report.json"
    run("stage_folder.py", source, staging, "--job", "first-backup", cwd=tmp_path)

    told = run(
        "prepare_drive_image.py",
        *(staging, "--job", "first-backup", image, "--cipher", cipher, "--report", report),
        cwd=tmp_path,
    )

    facts = json.loads(report.read_text("utf-8"))
    assert set(facts) == {
        "drive_id",
        "recovery_password",
        "manifest_file",
        "manifest_hash",
        "volume_offset_bytes",
    }
    assert report.stat().st_mode & 0o777 == 0o600
    assert facts["recovery_password"] not in told.stdout + told.stderr
    texts = (file.read_bytes() for file in staging.rglob("*") if file.is_file())
    assert not any(facts["recovery_password"].encode() in text for text in texts)
    drive = Drive(drive_id=facts["drive_id"], path=image, size_bytes=image.stat().st_size)
    password = RecoveryPassword.parse(facts["recovery_password"])
    verify_drive(
        drive, NativeVolumes(), recovery_password=password, manifest_hash=facts["manifest_hash"]
    ).raise_if_failed()


@needs("stage_folder.py", "prepare_drive_image.py")
def test_image_prepared_again_keeps_its_password_and_anew_gets_another(source, tmp_path):
    staging, image, report = tmp_path / "staging", tmp_path / "drive.img", tmp_path / "report.json"
    flags = (staging, image, "--job", "first-backup", "--report", report)
    run("stage_folder.py", source, staging, "--job", "first-backup", cwd=tmp_path)

    reports = []
    for more in ((), (), ("--anew",)):
        run("prepare_drive_image.py", *flags, *more, cwd=tmp_path)
        reports.append(json.loads(report.read_text("utf-8")))

    first, again, anew = reports
    assert again == first
    assert anew["recovery_password"] != first["recovery_password"]
