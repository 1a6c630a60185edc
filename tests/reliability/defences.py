"""Switch each defence of the fault catalogue off, and see that the tests that show it fail.

Works on copies of the tree. First the tests run as they are and must pass; then, for each defence, its guarding lines are
replaced in the copy, the copy is seen to be the one that is imported, and the tests must fail, each for at least one of its
fault's defences. The counts come last; anything else than the expected ends with 1.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from reliability.defence_run import PRELOADED, WRONG_REASONS, Outcome, run
from support.catalogue import MOST_LACKING, ROOT, Defence, Fault, expected, read_catalogue

SLOW, MISSED, HUNG = 300, 60, 900
"""Seconds after which a test fails as it is, after which one fails that waits for what its defence would have ended, and after
which a run without a defence is ended."""
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", ".hypothesis", "build", "*.egg-info", ".demo")


@dataclass(slots=True)
class Verdict:
    """What trying one fault came to."""

    fault: Fault
    off: int = 0
    """Defences that were switched off and missed."""
    failed: set[str] = field(default_factory=set)
    """Tests that failed as they must."""
    violations: list[str] = field(default_factory=list)


class Copies:
    """Copies of the tree, one for each run at a time."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._free: SimpleQueue[Path] = SimpleQueue()
        # The runs are forked off from a process that has nothing but libraries: no thread and no socket of this one.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        for number in range(count):
            copy = folder / f"copy-{number}"
            shutil.copytree(ROOT, copy, ignore=_LEFT_OUT, symlinks=True)
            self._free.put(copy)

    def run(self, name: str, tests: Sequence[str], defence: Defence | None = None) -> tuple[Outcome, int]:
        """The tests over a copy, without the defence if one is given: what they came to, and how many processes saw it so."""
        copy = self._free.get()
        try:
            if defence is None:
                return self._run(copy, name, tests, SLOW, one_failure=False), 0
            seen = self._folder / f"seen-{name}"
            seen.mkdir()
            with ExitStack() as off:
                for layer in defence.layers:
                    off.enter_context(_Without(copy, layer, seen))
                return self._run(copy, name, tests, MISSED, one_failure=True), len(list(seen.iterdir()))
        finally:
            self._free.put(copy)

    def _run(self, copy: Path, name: str, tests: Sequence[str], seconds: int, *, one_failure: bool) -> Outcome:
        log = self._folder / f"{name}.log"
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=run, args=(copy, tests, log, seconds, one_failure, there))
        process.start()
        there.close()
        try:
            # As it is, a whole share of the tests runs, and each ends by itself.
            if not here.poll(HUNG if one_failure else None):
                return Outcome(broken=[f"no end after {HUNG} s; {log} has more"])
            return Outcome(*here.recv())
        except EOFError:
            return Outcome(broken=[f"the run ended without a word; {log} has more"])
        finally:
            process.join(10)
            # A session of its own: whatever the tests left behind goes too.
            with suppress(ProcessLookupError, PermissionError):
                if process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
            process.join()
            here.close()


class _Without:
    """A copy with one defence switched off, for the length of the block; `seen` gets a file from each process that imports it."""

    def __init__(self, copy: Path, defence: Defence, seen: Path) -> None:
        self._file = copy / defence.file
        self._whole = self._file.read_text(encoding="utf-8")
        self._changed = defence.switched_off(self._whole)
        if self._file.suffix == ".py":
            compile(self._changed, defence.file, "exec")
            self._changed = _telling(self._changed, seen)

    def __enter__(self) -> None:
        self._write(self._changed)

    def __exit__(self, *exc: object) -> None:
        self._write(self._whole)

    def _write(self, text: str) -> None:
        # A time-stamp of whole seconds does not tell two versions of one size apart.
        for compiled in (self._file.parent / "__pycache__").glob(f"{self._file.stem}.*.pyc"):
            compiled.unlink()
        self._file.write_text(text, encoding="utf-8")


def _telling(source: str, seen: Path) -> str:
    """The module's text with a line that makes a file in `seen`; before what a script does, which may never come back."""
    line = f"\n__import__('pathlib').Path({str(seen)!r}, str(__import__('os').getpid())).touch()\n"
    module, script, rest = source.partition("\nif __name__ == ")
    return module + line + script + rest


def try_fault(copies: Copies, fault: Fault) -> Verdict:
    """Switch off the defences of one fault, one after the other."""
    verdict = Verdict(fault)
    for number, defence in enumerate(fault.defences):
        try:
            outcome, seen = copies.run(f"{fault.id}-{number}", fault.tests, defence)
        except (ValueError, SyntaxError) as error:
            verdict.violations.append(str(error))
            continue
        missed = {test for test in fault.tests if outcome.cases(test)[1]}
        verdict.violations += _wrong(defence, outcome, seen, missed)
        verdict.failed |= missed
        verdict.off += bool(missed)
    verdict.violations += [f"{test} passes whichever defence is off" for test in fault.tests if test not in verdict.failed]
    return verdict


def _wrong(defence: Defence, outcome: Outcome, seen: int, missed: Iterable[str]) -> list[str]:
    """What is not as it must be when this defence is off."""
    if outcome.broken:
        return list(outcome.broken)
    found = []
    if defence.file.endswith(".py") and not seen:
        found.append(f"{defence.file} was imported from elsewhere than the copy")
    if not missed:
        found.append(f"nobody missed this in {defence.file}: {defence.guard.strip()}")
    found += [f"{node} failed for another reason: {why}" for node, why in outcome.failed.items() if why.startswith(WRONG_REASONS)]
    return found


def try_faults(faults: Sequence[Fault], jobs: int, folder: Path) -> list[Verdict]:
    """The tests as they are, then without each defence; a line for each fault as it is done."""
    copies = Copies(folder, jobs)
    tests = sorted({test for fault in faults for test in fault.tests})
    whole = _whole(copies, tests, jobs)
    verdicts = []
    with ThreadPoolExecutor(jobs) as pool:
        for verdict in pool.map(lambda fault: try_fault(copies, fault), faults):
            verdict.violations += [
                f"{test} does not pass as it is: {why}" for test, why in whole.items() if test in verdict.fault.tests
            ]
            print(f"{verdict.fault.id}: {verdict.off} of {len(verdict.fault.defences)} defences missed", flush=True)
            for violation in verdict.violations:
                print(f"  VIOLATION {violation}", flush=True)
            verdicts.append(verdict)
    return verdicts


def _whole(copies: Copies, tests: Sequence[str], jobs: int) -> dict[str, str]:
    """The tests that do not pass with every defence in place, and why."""
    shares = [share for number in range(jobs) if (share := tests[number::jobs])]
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda numbered: copies.run(f"whole-{numbered[0]}", numbered[1])[0], enumerate(shares)))
    wrong: dict[str, str] = {}
    for share, outcome in zip(shares, outcomes, strict=True):
        for test in share:
            passed, failed = outcome.cases(test)
            if failed or not passed:
                wrong[test] = "; ".join([*outcome.failed.values(), *outcome.broken]) or "it did not run"
    return wrong


def chosen(faults: Iterable[Fault], count: int, seed: str) -> list[Fault]:
    """So many faults that unit tests alone show, by lot."""
    quick = [fault for fault in faults if fault.tests and all(test.startswith("tests/unit/") for test in fault.tests)]
    return sorted(random.Random(seed).sample(quick, min(count, len(quick))), key=lambda fault: expected().index(fault.id))


def main() -> int:
    """Try what is asked for; the counts last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*", help="the faults to try; all of them unless named")
    parser.add_argument("--sample", type=int, help="so many of those that unit tests alone show, by lot")
    parser.add_argument("--seed", default="", help="what decides the lot")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--keep", type=Path, help="a folder in which the logs of the runs are kept")
    wanted = parser.parse_args()
    catalogue = read_catalogue()
    ids = [id_ for given in wanted.ids for id_ in given.split(",")] or list(catalogue)
    faults = [catalogue[id_] for id_ in ids]
    if wanted.sample:
        faults = chosen(faults, wanted.sample, wanted.seed)
    with tempfile.TemporaryDirectory(prefix="defences-") as scratch:
        folder = Path(tempfile.mkdtemp(dir=wanted.keep) if wanted.keep else scratch)
        verdicts = try_faults([fault for fault in faults if fault.applies], wanted.jobs, folder)
    return _summary(faults, verdicts)


def _summary(faults: Sequence[Fault], verdicts: Sequence[Verdict]) -> int:
    bad = [verdict.fault.id for verdict in verdicts if verdict.violations]
    by = {word: sum(fault.applies and fault.shown == word for fault in faults) for word in ("real", "stub", "pure")}
    lacking = sum(not fault.applies for fault in faults)
    if bad:
        print(f"violations: {', '.join(bad)}")
    print(
        f"{len(faults)} faults: {by['real']} shown with real servers, {by['stub']} with stubs, {by['pure']} by functions that ask "
        f"nobody, {lacking} not applying; {sum(verdict.off for verdict in verdicts)} defences switched off, "
        f"{sum(len(verdict.failed) for verdict in verdicts)} tests failed as they must, {len(bad)} violations"
    )
    return 1 if bad or lacking > MOST_LACKING else 0


if __name__ == "__main__":
    sys.exit(main())
