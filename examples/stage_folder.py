"""
Stage a folder: write the initial backup to the staging location.

    python examples/stage_folder.py SOURCE STAGING --job NAME

Run it again after a crash, and it goes on after what was acknowledged.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from offlineseed.events import Event, FindingSeen
from offlineseed.settings import SeedSettings
from offlineseed.staging import StagingLocation


def show(event: Event) -> None:
    if isinstance(event, FindingSeen):
        print(event.finding, file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description="Stage a folder for shipment to Azure.")
    parser.add_argument("source", type=Path)
    parser.add_argument("staging", type=Path)
    parser.add_argument("--job", required=True, help="the import job's name")
    parser.add_argument("--subscription", default="00000000-0000-0000-0000-000000000000")
    parser.add_argument("--account", default="examplestorage", help="the storage account")
    parser.add_argument("--container", default="seed")
    arguments = parser.parse_args()

    job = StagingLocation(arguments.staging).open_or_create(
        SeedSettings(
            staging_location=str(arguments.staging),
            import_job_name=arguments.job,
            subscription_id=arguments.subscription,
            storage_account=arguments.account,
            container=arguments.container,
        )
    )
    seal = job.seal
    if seal is None:
        with job.write_seed(on_event=show) as writer:
            writer.add_tree(arguments.source)
            seal = writer.seal()
    print(f"{seal.items} items, {seal.content_bytes} bytes, stored in {seal.stored_bytes}")
    print(f"seal {seal.digest}")


if __name__ == "__main__":
    main()
