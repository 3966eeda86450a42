"""
Prepare one drive as an image file from a staged import job: GPT, BitLocker, NTFS, manifest.

    python examples/prepare_drive_image.py STAGING --job NAME IMAGE [--bytes N] [--cipher xts-128]

The report holds the recovery password; nothing else does, and nobody else may read it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import offlineseed as osd
from offlineseed.bitlocker import CipherMethod, RecoveryPassword
from offlineseed.drives import MemoryKeyStore
from offlineseed.volumes import survey_disk

CIPHERS = {method.name.lower().replace("_", "-"): method for method in CipherMethod}
SMALLEST_DRIVE = 72 << 20  # BitLocker wants 64 MiB


def main() -> None:
    options = parse_arguments()
    job = osd.StagingLocation(options.staging).open(options.job)
    blobs = list(job.blobs())
    staged = sum(blob.length for blob in blobs) + 20_000 * len(blobs)
    size = options.bytes or max(staged + staged // 16 + (12 << 20), SMALLEST_DRIVE)
    drive = osd.Drive(drive_id=options.drive_id, path=options.image, size_bytes=size)
    volumes = osd.NativeVolumes(cipher=CIPHERS[options.cipher])
    password = RecoveryPassword.generate()

    space = osd.DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = osd.DrivePlanner().plan(blobs, [space])
    prepared = osd.DrivePreparer(
        volumes=volumes,
        keys=MemoryKeyStore(),
        storage_account_key=osd.Secret(options.account_key),
    ).prepare(
        job,
        plan,
        drive=drive,
        consent=osd.Consent(drive_id=drive.drive_id, size_bytes=size),
        recovery_password=password,
        anew=True,
    )
    (partition,) = survey_disk(drive).partitions
    report = {
        "drive_id": prepared.drive_id,
        "recovery_password": prepared.recovery_password.reveal(),
        "manifest_file": prepared.manifest_file,
        "manifest_hash": prepared.manifest_hash,
        "volume_offset_bytes": partition.offset_bytes,
    }
    if options.report:
        write_report(options.report, report)
    print(f"{options.image}: {prepared.blobs} blobs, {prepared.total_bytes:,} bytes, read back.")
    if not options.report:
        print("Without --report its recovery password is lost with this program.", file=sys.stderr)


def write_report(path: Path, report: dict[str, object]) -> None:
    """Write for the owner's eyes only, from the file's first moment on."""
    path.unlink(missing_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
        file.write("\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Prepare one drive as an image file.")
    parser.add_argument("staging", type=Path, help="the staging location")
    parser.add_argument("--job", required=True, help="the import job's name")
    parser.add_argument("image", type=Path, help="the image file to make; sparse")
    parser.add_argument("--bytes", type=int, help="the drive's size; without it, what is needed")
    parser.add_argument("--cipher", choices=sorted(CIPHERS), default="xts-128")
    parser.add_argument("--drive-id", default="IMAGE1", help="its serial number")
    parser.add_argument("--account-key", default="ZXhhbXBsZS1rZXk=", help="for the manifest")
    parser.add_argument("--report", type=Path, help="a JSON file with all that the job needs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
