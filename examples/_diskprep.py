"""
What diskprep.py needs besides the library: a console, this machine's drives, and credentials.

For trials, the environment says what else would be real:

    DISKPREP_STATE         where this machine keeps its registry and recovery passwords
    DISKPREP_DRIVES        drives that are images: LETTER=SERIAL,BYTES,PATH, semicolons between
    DISKPREP_VOLUMES       `directory`: those drives are folders
    DISKPREP_SERVICE_URL   an import service other than Azure's, DISKPREP_TOKEN its token
    DISKPREP_CA_FILE       whose certificates to trust
    DISKPREP_STORAGE_KEY   the storage account's key, which is asked for otherwise
"""

from __future__ import annotations

import getpass
import importlib
import os
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import offlineseed as osd
from offlineseed.clouds import PUBLIC
from offlineseed.emulator import FixedTokenCredential
from offlineseed.events import BlobCopied, BlobVerified, DrivePrepared, DriveStarted, Event
from offlineseed.findings import Finding, Severity
from offlineseed.jobs import ClassicJobs, ImportJobs
from offlineseed.publishsettings import MAXIMUM_PUBLISH_SETTINGS_BYTES, parse_publish_settings
from offlineseed.volumes import DriveCheck, VolumeAdapter, drive_facts

ENVIRONMENT = os.environ
STATE = Path(ENVIRONMENT.get("DISKPREP_STATE", Path.home() / ".offlineseed"))
IS_TRIAL = "DISKPREP_DRIVES" in ENVIRONMENT


def ask(question: str, default: str = "") -> str:
    hint = f" [{default}]" if default else ""
    return input(f"{question}{hint}: ").strip() or default


def is_yes(question: str) -> bool:
    return ask(f"{question} (yes/no)").casefold() == "yes"


def say(findings: Iterable[Finding]) -> None:
    """Print findings, and stop where one of them is an error."""
    errors = False
    for finding in findings:
        print(f"{finding.severity.value.upper()} {finding.code}: {finding.message}")
        errors = errors or finding.severity is Severity.ERROR
    if errors:
        sys.exit("Nothing was changed.")


def find_drive(letter: str) -> osd.Drive | None:
    """Find an attached drive by its letter, or by its device's name."""
    letter = letter.rstrip(":")
    if IS_TRIAL:
        for entry in ENVIRONMENT["DISKPREP_DRIVES"].split(";"):
            name, _, facts = entry.partition("=")
            if name.casefold() == letter.casefold():
                serial, size, path = facts.split(",", 2)
                return osd.Drive(drive_id=serial, path=Path(path), size_bytes=int(size))
        return None
    device = Path("/dev") / Path(letter).name
    if not letter or not device.is_block_device():
        return None
    known = drive_facts(device)
    return osd.Drive(drive_id=known.serial, path=device, size_bytes=known.size_bytes)


def volumes_for(drive: osd.Drive | None = None) -> VolumeAdapter:
    """Give the adapter; it may erase the drive whose owner agreed to that."""
    if ENVIRONMENT.get("DISKPREP_VOLUMES") == "directory":
        return osd.DirectoryVolumes(may_erase=drive is not None)
    return osd.NativeVolumes(erasable=(drive,) if drive else ())


def check_drive(drive: osd.Drive) -> Iterable[Finding]:
    return () if IS_TRIAL else DriveCheck()(drive)


@cache
def storage_key() -> osd.Secret:
    typed = ENVIRONMENT.get("DISKPREP_STORAGE_KEY") or getpass.getpass("Storage account key: ")
    return osd.Secret(typed.strip())


def connect(seed: osd.OfflineSeed, publish_settings: str | None) -> tuple[ImportJobs, str]:
    """Give the import service, and the name by which it knows the storage account."""
    settings = seed.job.settings
    options: dict[str, Any] = {}
    if "DISKPREP_CA_FILE" in ENVIRONMENT:
        options["connection_verify"] = ENVIRONMENT["DISKPREP_CA_FILE"]
    if publish_settings is not None:
        with Path(publish_settings).open("rb") as file:
            published = parse_publish_settings(file.read(MAXIMUM_PUBLISH_SETTINGS_BYTES + 1))
        subscription = published.subscription(settings.subscription_id)
        classic = ClassicJobs(
            subscription.certificate,
            subscription_id=subscription.id,
            storage_account=settings.storage_account,
            storage_account_key=storage_key(),
            cloud=subscription.cloud or PUBLIC,
            base_url=subscription.service_management_url,
            **options,
        )
        return classic, settings.storage_account
    group = ENVIRONMENT.get("DISKPREP_RESOURCE_GROUP") or ask("Resource group")
    credential: Any
    if "DISKPREP_TOKEN" in ENVIRONMENT:
        credential = FixedTokenCredential(ENVIRONMENT["DISKPREP_TOKEN"])
    else:
        credential = importlib.import_module("azure.identity").DefaultAzureCredential()
    jobs = osd.DataBoxJobs(
        credential,
        subscription_id=settings.subscription_id,
        resource_group=group,
        base_url=ENVIRONMENT.get("DISKPREP_SERVICE_URL"),
        **options,
    )
    scope = f"/subscriptions/{settings.subscription_id}/resourceGroups/{group}"
    account = f"{scope}/providers/Microsoft.Storage/storageAccounts/{settings.storage_account}"
    return jobs, account


class Progress:
    """Shows how a drive's preparation goes on: by tqdm where it is installed."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._began = time.monotonic()
        self._bar: Any = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, DriveStarted):
            # Everything is written once and read back once.
            self._total, self._done = 2 * event.total_bytes, event.resumed_bytes
            try:
                tqdm = importlib.import_module("tqdm").tqdm
            except ImportError:
                self._began = time.monotonic()
            else:
                self._bar = tqdm(
                    total=self._total,
                    initial=self._done,
                    unit="B",
                    unit_scale=True,
                    desc=event.drive_id,
                )
        elif isinstance(event, BlobCopied | BlobVerified):
            self._show(event.length)
        elif isinstance(event, DrivePrepared):
            if self._bar is not None:
                self._bar.close()
            print(f"\nDrive {event.drive_id} is prepared: {event.total_bytes:,} bytes, read back.")

    def _show(self, length: int) -> None:
        self._done += length
        if self._bar is not None:
            self._bar.update(length)
            return
        seconds = max(time.monotonic() - self._began, 1e-3)
        rate = max(self._done / seconds, 1.0)
        left = max(self._total - self._done, 0) / rate
        share = self._done / max(self._total, 1)
        print(f"\r{share:5.0%} {rate / 1e6:8.1f} MB/s, {left:6.0f} s left ", end="", flush=True)
