"""
Prepare one drive as an image file from a staged import job: GPT, BitLocker, NTFS, manifest.

    python examples/prepare_drive_image.py STAGING --job NAME IMAGE [--bytes N] [--cipher xts-128]

Run it again after a crash, and it goes on. The recovery password is kept in a file beside the
image, and in the report; nobody else may read them.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import offlineseed as osd
from offlineseed.bitlocker import CipherMethod
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
    volumes = osd.NativeVolumes(
        cipher=CIPHERS[options.cipher], erasable=[drive] if options.anew else ()
    )
    keys = options.keys or options.image.with_name(f"{options.image.name}.keys.json")

    space = osd.DriveSpace(drive_id=drive.drive_id, capacity=volumes.capacity(drive))
    (plan,) = osd.DrivePlanner().plan(blobs, [space])
    prepared = osd.DrivePreparer(
        volumes=volumes,
        keys=osd.FileKeyStore(keys),
        storage_account_key=osd.Secret(options.account_key),
    ).prepare(
        job,
        plan,
        drive=drive,
        consent=osd.Consent(drive_id=drive.drive_id, size_bytes=size),
        anew=options.anew,
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
    print(f"Its recovery password is in {keys}.")


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
    parser.add_argument("--keys", type=Path, help="recovery passwords; by default beside the image")
    parser.add_argument("--anew", action="store_true", help="begin again: what is on it is lost")
    parser.add_argument("--report", type=Path, help="a JSON file with all that the job needs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
