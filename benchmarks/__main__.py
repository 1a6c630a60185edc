"""`python -P -m benchmarks --rows 1,4 --rounds 5`: run rows, keep what they came to, write the page."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.first_publish import row_1, row_3
from benchmarks.place import Place, place
from benchmarks.results import Result, keep

ROWS: Mapping[int, Callable[[Place], list[Result]]] = {1: row_1, 3: row_3}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--rows", default="", help="numbers with commas; all, if none is given")
    parser.add_argument("--rounds", type=int, default=5, help="of each comparison; with less than five, nothing is kept")
    parser.add_argument(
        "--peers", default="", help="of row 1, with commas: rsync, fsync, rclone, lftp; for a trial, nothing is kept"
    )
    chosen = parser.parse_args(arguments)
    peers = [name for name in chosen.peers.split(",") if name]
    rows = [int(number) for number in chosen.rows.split(",") if number] or list(ROWS)
    for number in rows:
        began = time.monotonic()
        with place(chosen.rounds, peers) as where:
            results = ROWS[number](where)
        for result in results:
            print(result, flush=True)
        print(f"row {number} took {time.monotonic() - began:.0f} s", flush=True)
        if chosen.rounds >= 5 and not peers:
            keep(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
