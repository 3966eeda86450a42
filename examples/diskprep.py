"""
Prepare drives for shipment and follow their import job: the article's AzureOfflineBackupDiskPrep.

    diskprep.py s:<staging location> [p:<publish settings file>]
    diskprep.py u: [s:<staging location> p:<publish settings file>]

s: prepares the drives, creates the import job and shows where to ship. u: updates the shipping
information and shows the status: alone on the source machine, with s: and p: elsewhere. Without a
publish settings file it signs in to Azure Resource Manager. See _diskprep.py for trials.
"""

from __future__ import annotations

import datetime as dt
import socket
import sys

from _diskprep import (
    IS_TRIAL,
    STATE,
    Progress,
    ask,
    check_drive,
    connect,
    find_drive,
    is_yes,
    say,
    storage_key,
    volumes_for,
)
from azure.core.exceptions import AzureError

import offlineseed as osd
from offlineseed.events import Event, FindingSeen
from offlineseed.jobs import ClassicJobs, ImportJobs, JobRegistry, JobState
from offlineseed.workflow import SeedStatus, read_machine

KEYS = osd.FileKeyStore(STATE / "recovery-passwords.json")
REGISTRY = JobRegistry(STATE)


def main(arguments: list[str]) -> None:
    options = {word[:2].lower(): word[2:] for word in arguments}
    staging, settings_file = options.pop("s:", None), options.pop("p:", None)
    is_update = options.pop("u:", None) is not None
    if options or not (staging or is_update):
        print(f"Usage:{__doc__}")
        sys.exit(0 if set(options) & {"--", "-h", "/?"} else 2)
    seed = choose_job(staging)
    if settings_file is None and seed.job.settings.publish_settings_path:
        if seed.job.source_host != socket.gethostname():
            sys.exit("This is not the source machine: give p:<publish settings file>")
        settings_file = seed.job.settings.publish_settings_path
    jobs, account = connect(seed, settings_file)
    if not is_update:
        prepare_drives(seed, jobs)
        create_job(seed, jobs, account)
        if is_yes("Update the shipping information now?"):
            update_shipping(seed, jobs)
        return
    status = seed.status(jobs)
    show_status(status)
    if status.job is None or status.job.state not in (JobState.CREATING, JobState.SHIPPING):
        return
    if is_yes("Update the shipping information?"):
        update_shipping(seed, jobs)


def choose_job(staging: str | None) -> osd.OfflineSeed:
    if staging is None:
        found = list(osd.OfflineSeed.waiting(REGISTRY, on_event=show_finding))
    else:
        found = [osd.OfflineSeed(job, registry=REGISTRY) for job in osd.StagingLocation(staging)]
    if not found:
        sys.exit(f"No import job waits {'on this machine' if staging is None else 'there'}.")
    if len(found) == 1:
        print(f"Azure import job: {found[0].job.name}")
        return found[0]
    for number, seed in enumerate(found, 1):
        print(f"{number:3}  {seed.job.name}  ({seed.job.folder})")
    while True:
        word = ask("Which Azure import job")
        for number, seed in enumerate(found, 1):
            if word in (str(number), seed.job.name):
                return seed


def prepare_drives(seed: osd.OfflineSeed, jobs: ImportJobs) -> None:
    say(seed.preflight(copy_machine=None if IS_TRIAL else read_machine(), jobs=jobs))
    while (status := seed.status()).step.value in ("staged", "preparing"):
        letter = ask("Drive letter, without the colon")
        drive = find_drive(letter)
        if drive is None:
            print(f"There is no drive {letter}.")
            continue
        if not dict(status.drives).get(drive.drive_id, False):
            print(f"Drive {drive.drive_id}, {drive.size_bytes:,} bytes")
            if not is_yes(f"Format drive {letter}? Everything on it is lost"):
                continue
            preparer = osd.DrivePreparer(
                volumes=volumes_for(drive),
                keys=KEYS,
                storage_account_key=storage_key(),
                check_drive=check_drive,
            )
            consent = osd.Consent(drive_id=drive.drive_id, size_bytes=drive.size_bytes)
            seed.prepare(
                preparer, [drive], consents=[consent], is_partial=True, on_event=Progress()
            )
        left = seed.plan(volumes_for())
        if not left.is_complete:
            print(f"{left.unplaced_bytes:,} bytes have no drive yet: attach another drive.")
    if status.step.value == "initiated":
        sys.exit("The initial backup is not staged whole: finish it on the source machine.")


def create_job(seed: osd.OfflineSeed, jobs: ImportJobs, account: str) -> None:
    address = None if isinstance(jobs, ClassicJobs) else ask_address()
    job = seed.create_job(
        jobs,
        keys=KEYS,
        region=ask("Region of the storage account", "West Europe"),
        return_address=address,
        storage_account=account,
    )
    print(f"Azure import job {job.name} is created. Ship the drives, in one package, to:")
    for line in job.shipping_information.lines() if job.shipping_information else ():
        print(f"    {line}")


def ask_address() -> osd.ReturnAddress:
    return osd.ReturnAddress(
        recipient_name=ask("Return to: name"),
        street_address1=ask("Street"),
        city=ask("City"),
        postal_code=ask("Postal code"),
        country_or_region=ask("Country"),
        phone=ask("Phone"),
        email=ask("E-mail"),
    )


def update_shipping(seed: osd.OfflineSeed, jobs: ImportJobs) -> None:
    package = osd.DeliveryPackage(
        carrier_name=ask("Carrier"),
        tracking_number=ask("Tracking number"),
        ship_date=ask("Ship date", dt.date.today().isoformat()),  # noqa: DTZ011  # a local date
    )
    address = ask_address()
    back = osd.ReturnShipping(
        carrier_name=ask("Return carrier", package.carrier_name),
        carrier_account_number=ask("Return carrier's account number"),
    )
    say(seed.check_shipping(jobs, package, return_address=address, return_shipping=back))
    print("Review the shipping information:")
    print(f"    {package.carrier_name} {package.tracking_number}, shipped {package.ship_date}")
    print(f"    back by {back.carrier_name}, account {back.carrier_account_number}, to:")
    for line in (*address.lines(), address.phone, address.email):
        print(f"    {line}")
    if ask("Type yes to commit").casefold() != "yes":
        sys.exit("Nothing was changed.")
    seed.update_shipping(jobs, package, return_address=address, return_shipping=back)
    print(f"The shipping information is kept in {seed.job.folder / 'shipping.json'}")
    show_status(seed.status())


def show_status(status: SeedStatus) -> None:
    print(f"{status.name}: {status.text}")
    if status.job is not None:
        print(f"Import job: {status.job.state}")
        for drive in status.job.drives:
            print(f"    drive {drive.drive_id}: {drive.state} {drive.copy_status}".rstrip())
    for finding in status.findings:
        show_finding(FindingSeen(finding=finding))
    for deadline in status.deadlines:
        print(f"By {deadline.due:%Y-%m-%d}: {deadline.message}")


def show_finding(event: Event) -> None:
    if isinstance(event, FindingSeen):
        finding = event.finding
        print(f"{finding.severity.value.upper()} {finding.code}: {finding.message}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (osd.OfflineSeedError, AzureError, OSError) as error:
        sys.exit(f"{error}")
    except (EOFError, KeyboardInterrupt):
        sys.exit("\nRun it again to go on: what is done is not done again.")
