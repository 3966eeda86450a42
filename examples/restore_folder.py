"""
Restore a staged seed into a new folder.

    python examples/restore_folder.py STAGING --job NAME DEST [--prefix ITEM] [--salvage]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from offlineseed.staging import StagingLocation


def main() -> None:
    parser = argparse.ArgumentParser(description="Restore a staged seed.")
    parser.add_argument("staging", type=Path)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--job", required=True, help="the import job's name")
    parser.add_argument("--prefix", default="", help="only this item and what is below it")
    parser.add_argument("--seal", help="the digest that staging printed: another one is refused")
    parser.add_argument("--salvage", action="store_true", help="restore all that is not damaged")
    arguments = parser.parse_args()

    job = StagingLocation(arguments.staging).open(arguments.job)
    with job.reader(expected_digest=arguments.seal) as reader:
        report = reader.restore(
            arguments.destination, prefix=arguments.prefix, salvage=arguments.salvage
        )
    print(f"{report.items} items, {report.content_bytes} bytes")
    for lost in report.lost:
        print(f"lost: {lost.name} from byte {lost.offset}, {lost.length} bytes", file=sys.stderr)
    sys.exit(1 if report.lost else 0)


if __name__ == "__main__":
    main()
