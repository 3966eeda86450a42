"""
What the journey needs besides the library: narration, comparing trees, and a day's changes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path
from typing import Any

import attrs

import offlineseed as osd
from offlineseed.events import Event, FindingSeen
from offlineseed.volumes import VolumeCapacity

RETURN_ADDRESS = osd.ReturnAddress(
    recipient_name="Contoso",
    street_address1="Examplestraat 1",
    city="Utrecht",
    postal_code="3511 AA",
    country_or_region="Netherlands",
    phone="+31 30 0000000",
    email="backup@contoso.example",
)
STEPS: list[dict[str, Any]] = []
FINDINGS: list[osd.Finding] = []
MOST_PRINTED = 10


@contextmanager
def step(title: str) -> Iterator[dict[str, Any]]:
    facts: dict[str, Any] = {"step": title, "bytes": 0, "note": ""}
    began = time.perf_counter()
    yield facts
    seconds = facts["seconds"] = round(time.perf_counter() - began, 3)
    facts["mb_per_s"] = round(facts["bytes"] / max(seconds, 1e-3) / 1e6, 1)
    line = "{step:<42}{bytes:>14,} B{seconds:>8.2f} s{mb_per_s:>8.1f} MB/s  {note}"
    print(line.format(**facts), flush=True)
    STEPS.append(facts)


def hear(event: Event) -> None:
    """Tell what could not be staged as it stands: a pipe, a socket, an unreadable file."""
    if isinstance(event, FindingSeen):
        FINDINGS.append(event.finding)
        if len(FINDINGS) <= MOST_PRINTED:
            print(f"  not as it stands: {event.finding}", file=sys.stderr)
        elif len(FINDINGS) == MOST_PRINTED + 1:
            print("  and more; the report has them all", file=sys.stderr)


def is_equal(left: Path, right: Path) -> bool:
    """Compare two trees, but for what staging found: names, kinds, contents, modes and times."""
    found = {Path(finding.subject) for finding in FINDINGS}

    def names(top: Path) -> list[Path]:
        below = (path.relative_to(top) for path in top.rglob("*"))
        return sorted(name for name in below if found.isdisjoint((name, *name.parents)))

    common = names(left)
    return common == names(right) and all(is_same(left / name, right / name) for name in common)


def conclude(seal: str, report: Path | None) -> bool:
    """Say whether all that was restored is equal, write the report; true where it is not."""
    is_all_equal = all(fact for one in STEPS for key, fact in one.items() if key[:5] == "equal")
    if report:
        facts = {
            "restored_equal": is_all_equal,
            "seal": seal,
            "findings": [str(finding) for finding in FINDINGS],
            "steps": STEPS,
        }
        report.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    print("Everything restored is equal." if is_all_equal else "SOMETHING RESTORED DIFFERS.")
    return not is_all_equal


def is_same(left: Path, right: Path) -> bool:
    a, b = left.lstat(), right.lstat()
    if (a.st_mode, a.st_mtime_ns) != (b.st_mode, b.st_mtime_ns):
        return False
    if left.is_symlink():
        return left.readlink() == right.readlink()
    return left.is_dir() or cmp(left, right, shallow=False)


def parse_arguments(volumes: Iterable[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Offline seeding from end to end.")
    parser.add_argument("source", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="an empty or new folder")
    parser.add_argument("--drives", type=positive, default=2)
    parser.add_argument("--drive-bytes", type=positive, help="size of each drive")
    parser.add_argument("--volumes", choices=sorted(volumes), default="native")
    parser.add_argument("--blob-endpoint", help="connection string; without it, a folder")
    parser.add_argument("--report", type=Path, help="write the figures as JSON")
    return parser.parse_args()


def positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return int(text)


def at_most(capacity: VolumeCapacity, usable_bytes: int) -> VolumeCapacity:
    """Leave the rest of a drive empty, so that several drives get some of a little."""
    return attrs.evolve(capacity, usable_bytes=min(usable_bytes, capacity.usable_bytes))


def import_job(
    settings: osd.SeedSettings,
    drives: Iterable[osd.PreparedDrive],
    *,
    storage_account_id: str,
) -> osd.ImportJob:
    """Say what the service is to do with the drives, and where to send them back to."""
    return osd.ImportJob(
        name=settings.import_job_name,
        location="West Europe",
        storage_account=storage_account_id,
        return_address=RETURN_ADDRESS,
        drives=[
            osd.JobDrive(
                drive_id=drive.drive_id,
                recovery_password=drive.recovery_password,
                manifest_file=drive.manifest_file,
                manifest_hash=drive.manifest_hash,
            )
            for drive in drives
        ],
    )


def change(folder: Path) -> None:
    """Do what a day does to a folder: a new file, a changed one, a renamed one, one less."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    (folder / "new file of the day.txt").write_text("what happened today\n" * 1000)
    if len(files) > 2:
        files[0].rename(files[0].with_name("renamed of the day"))
        files[1].unlink()
        with files[2].open("ab") as file:
            file.write(b"one line more\n")
