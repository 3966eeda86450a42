"""
Initiate an offline backup on the source machine: the article's wizard, then "Back up now".

    python examples/initiate_backup.py SOURCE STAGING --job NAME --subscription GUID ...

Run it again after a crash, and it goes on. Then prepare the drives with diskprep.py.
"""

from __future__ import annotations

import argparse
import sys

from _diskprep import STATE, say

import offlineseed as osd
from offlineseed.jobs import JobRegistry
from offlineseed.workflow import Workload, preflight, read_machine


def main() -> None:
    parser = argparse.ArgumentParser(description="Initiate an offline backup to Azure.")
    parser.add_argument("source", help="the folder to back up")
    parser.add_argument("staging", help="the staging location: a folder or share")
    parser.add_argument("--job", required=True, help="the import job's name")
    parser.add_argument("--subscription", required=True, help="the subscription's id")
    parser.add_argument("--account", required=True, help="the storage account")
    parser.add_argument("--container", required=True, help="the container to import to")
    parser.add_argument("--publish-settings", help="the publish settings file on this machine")
    parser.add_argument("--workload", choices=[one.value for one in Workload])
    options = parser.parse_args()

    settings = osd.SeedSettings(
        staging_location=options.staging,
        import_job_name=options.job,
        publish_settings_path=options.publish_settings,
        subscription_id=options.subscription,
        storage_account=options.account,
        container=options.container,
    )
    workload = Workload(options.workload or Workload.FILES_AND_FOLDERS)
    source = read_machine()
    say(preflight(settings, workload=workload, source=source))
    seed = osd.OfflineSeed.initiate(
        settings, workload=workload, source=source, registry=JobRegistry(STATE)
    )
    seal = seed.stage(options.source)
    print(f"{seal.items:,} items, {seal.content_bytes:,} bytes, stored in {seal.stored_bytes:,}")
    print(f"Keep this on the source machine: seal {seal.digest}")
    print(f"Remember: staging location {options.staging}, Azure import job {options.job}")


if __name__ == "__main__":
    try:
        main()
    except (osd.OfflineSeedError, OSError) as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("\nRun it again to go on: what is done is not done again.")
