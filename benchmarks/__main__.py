"""`python -P -m benchmarks --rows 1,4`: run rows, keep what they came to, write the page. `--site 3180`: the large site's."""

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

from benchmarks import page
from benchmarks.machine import about
from benchmarks.place import place
from benchmarks.results import keep
from benchmarks.rows import ROWS
from benchmarks.site import whole_site

ENOUGH = 5
"""Rounds from which on a comparison is kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rows", default="", help="numbers with commas; all, if none is given")
    parser.add_argument("--site", type=int, default=0, help="run the rows of a site of so many modules instead")
    parser.add_argument("--rounds", type=int, default=ENOUGH, help="of each comparison; with less than five, nothing is kept")
    parser.add_argument("--peers", default="", help="of row 1, with commas: rsync, fsync, rclone, lftp; then nothing is kept")
    chosen = parser.parse_args(arguments)
    peers = [name for name in chosen.peers.split(",") if name]
    rows = {number: ROWS[number] for number in _numbers(chosen.rows) or ROWS}
    if chosen.site:
        rows = {6: partial(whole_site, modules=chosen.site)}
    for number, measure in rows.items():
        began = time.monotonic()
        with place(chosen.rounds, peers) as where:
            results = measure(where)
            for result in results:
                print(result, flush=True)
            # Before millions of files are removed, which takes as long again.
            print(f"row {number} took {time.monotonic() - began:.0f} s", flush=True)
            if chosen.rounds >= ENOUGH and not peers:
                page.write(keep(results), about())
    return 0


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


if __name__ == "__main__":
    sys.exit(main())
