"""
Run the benchmarks, print a table and write `bench.json`.

    make bench [BENCH_FLAGS="--scale 0.1 --pairs 3 --only staging"]

A ratio is our wall time by the peer's in the same run, as the median of interleaved pairs.
All of it, up to a million files and 16 GiB, takes long, and tens of gigabytes of disk; with
`--scale 0.05 --pairs 1 --most-files 10000 --most-gib 1` it takes some three minutes. The file is
written anew with each row, so a run that is stopped leaves what it measured.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import drives
import seeds

COLUMNS = ("name", "corpus", "peer", "ratio", "mb_per_s", "cpu_s", "peak_mib", "bytes_out")
_FORM = "{:22}{:24}{:20}{:>8}{:>10}{:>8}{:>8}{:>18}"


def rows(options: argparse.Namespace, work: Path) -> Iterator[seeds.Row]:
    common = {"scale": options.scale, "pairs": options.pairs}
    if "staging" in options.only:
        yield from seeds.staging_rows(options.cache, work, **common)
    if "restore" in options.only:
        yield from seeds.restore_rows(options.cache, work, **common)
    if "increment" in options.only:
        yield from seeds.increment_rows(options.cache, work, **common)
    if "drives" in options.only:
        yield from drives.drive_rows(work, **common)
        yield from drives.part_rows(work, most_files=options.most_files)
    if "growth" in options.only:
        yield from seeds.growth_rows(
            options.cache, work, most_files=options.most_files, most_bytes=options.most_gib << 30
        )
    if "catalog" in options.only:
        yield from seeds.catalog_rows(work, most_items=options.most_files)


def show(table: Iterable[seeds.Row], output: Path) -> None:
    kept = []
    print(_FORM.format("", "corpus", "peer", "ratio", "MB/s", "CPU s", "MiB", "bytes out"))
    for row in table:
        shown = {**row, "bytes_out": f"{row['bytes_out']:,}"}
        print(_FORM.format(*(shown[column] for column in COLUMNS)), flush=True)
        kept.append({column: row[column] for column in COLUMNS})
        output.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


def main() -> None:
    kinds = ("staging", "restore", "increment", "drives", "growth", "catalog")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    parser.add_argument("--cache", type=Path, help="where the corpora are kept between runs")
    parser.add_argument("--work", type=Path, help="where the runs write; on the disk to measure")
    parser.add_argument("--scale", type=float, default=1.0, help="of the corpora: 1 is 1.5 GiB")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--most-files", type=int, default=10**6)
    parser.add_argument("--most-gib", type=int, default=16)
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="offlineseed-bench-") as folder:
        options.cache = options.cache or Path(folder) / "corpora"
        work = options.work or Path(folder) / "work"
        work.mkdir(parents=True, exist_ok=True)
        show(rows(options, work), options.output)
        if options.work:
            shutil.rmtree(work, ignore_errors=True)
    seconds = time.monotonic() - began
    print(f"written to {options.output} in {seconds / 60:.0f} minutes", file=sys.stderr)


if __name__ == "__main__":
    main()
