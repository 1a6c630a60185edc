"""Everything that comes from outside, wrong on purpose: `make fuzz`. Prints its counts last; a violation ends it with an error.

Slips that would delete what they may not, in memory and through real tasks; the hostile corpus, each case in a process of its own;
and the corpus garbled at random.
"""

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from reliability import fuzz_deletion, fuzz_hostile, fuzz_tasks
from reliability.fuzz_hostile import MEMORY, SECONDS, Verdict


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slips", type=int, default=100_000, help="slips that try to delete, in memory")
    parser.add_argument("--tasks", type=int, default=2_000, help="the same through real tasks")
    parser.add_argument("--documents", type=int, default=50_000, help="garbled documents for the readers")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"seed {chosen.seed}", flush=True)
    # First, while this process is small: each case is judged in a copy of it.
    verdicts = fuzz_hostile.run_corpus()
    harms = list(harms_of(verdicts))
    print("\n".join(harms), flush=True)
    garbled = fuzz_hostile.fuzz(chosen.seed, chosen.documents)
    memory = fuzz_deletion.fuzz(chosen.seed, chosen.slips)
    tasks = fuzz_tasks.fuzz(chosen.seed, chosen.tasks)
    print(f"in memory: {_said(memory)}\nthrough tasks: {_said(tasks)}\ngarbled: {_said(garbled)}")
    print(
        f"{chosen.slips} slips and {sum(tasks.values())} tasks, 0 unauthorised deletes; {len(verdicts)} hostile documents and "
        f"{chosen.documents} garbled ones, {len(harms)} harms, at most {max(each.memory for each in verdicts) >> 20} MB and "
        f"{max(each.seconds for each in verdicts):.2f} s each"
    )
    return 1 if harms else 0


def harms_of(verdicts: Sequence[Verdict], *, timed: bool = True) -> list[str]:
    """What was wrong. Time is not judged on a machine that does other things."""
    found = [f"{each.case}: {each.harm}" for each in verdicts if each.harm]
    found += [f"{each.case}: {each.memory >> 20} MB" for each in verdicts if each.memory > MEMORY]
    return found + [f"{each.case}: {each.seconds:.1f} s" for each in verdicts if timed and each.seconds > SECONDS]


def _said(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(Counter(counts).items()))


if __name__ == "__main__":
    sys.exit(main())
