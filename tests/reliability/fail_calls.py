"""Let system calls fail, and see that nothing is lost: a part of `make fail-sweep`.

strace answers a call of the engine that may change something, of OpenSSH's sftp-server or of the program that takes a stream, with
an error of the kernel: one after the other, in a publish, in both layouts. An engine may end over it, as it may when it is killed; the next one makes all good.
"""

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reliability.fail_case import FOR_A_PERSON, Tally
from reliability.side_by_side import WHOLE, Share
from support.kill_rig import Rig, Strike, Violation
from support.killing import may_trace, run_traced
from support.sweep_world import CHANGE, World

ERRORS = ("EIO", "ENOSPC")
"""Of a failing disk, and of a full one. In turn."""
SFTP = {"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent", "transfer": "sftp"}
STREAM = SFTP | {"transfer": "stream"}
VERSIONED = {"layout": "versioned", "keep_releases": 1}
PLACES: Mapping[str, Mapping[str, Any]] = {
    "local, ordered": {},
    "local, versioned": VERSIONED,
    "sftp, ordered": SFTP,
    "sftp, versioned": SFTP | VERSIONED,
    "stream, ordered": STREAM,
    "stream, versioned": STREAM | VERSIONED,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is wanted: so many calls of each place (None: every one), until a moment on the monotonic clock."""

    calls: int | None
    until: float
    chance: random.Random
    share: Share = WHOLE


class Rack(Rig):
    """A world in which system calls fail."""

    def let_fail(self, strike: Strike, error: str) -> bool:
        """Carry the task out, with one call failing, then look at what there is; whether the call was made."""
        self.world.reset()
        before = self.world.trees()
        inject = f"error={error}:when={strike.nth}"
        if strike.who == "engine":
            run_traced(self._plainly, self._errors, inject, self._trace, strike.what)
        else:
            self.with_server(strike.who, strike.what, inject)
        trace = self._trace if strike.who == "engine" else self._served
        self._look(before)
        return "(INJECTED)" in trace.read_text(errors="replace")

    def _look(self, before: Mapping[str, Mapping[str, Any]]) -> None:
        """Raise Violation for a torn file, and for a task that was given up."""
        for target, tree in self.world.trees().items():
            for path, leaf in tree.items():
                whole = {side.get(path, ("",) * 4)[3] for side in (before[target], self.expected.trees[target])}
                if leaf[0] == "file" and not path.endswith(("packageslip.xml", "release.xml")) and leaf[3] not in whole:
                    raise Violation(f"{target}: {path} is torn")
        for state, reason, _ in self.world.ends():
            if state in FOR_A_PERSON or "fault of Slipway itself" in reason:
                raise Violation(f"a failure that may pass by itself ended a task: {state}, {reason}")

    def all_calls(self) -> list[Strike]:
        """Those of the engine, or of what serves it. A server's are what its target's calls become: they alone, then."""
        self.world.reset()
        found = self.server_calls() if self._servers else self.calls()
        # What SFTP's server does beside a stream is what it does without one.
        return [strike for strike in found if strike.who == "program"] or found


def sweep_calls(folder: Path, wanted: Wanted, tally: Tally, places: Iterable[str] = PLACES) -> None:
    """Let them fail one by one; what came of it goes into the tally."""
    barred = may_trace(folder)
    if barred:
        print(f"SYSTEM CALLS NOT SWEPT: {barred}; the calls of the program alone were", flush=True)
        if os.environ.get("CI") == "true":
            tally.violations.append(f"system calls cannot be swept: {barred}")
        return
    for place in places:
        rack = Rack(World(Path(tempfile.mkdtemp(dir=folder)), CHANGE, PLACES[place], delivers=False))
        calls = rack.all_calls()
        chosen = wanted.share.of(calls) if wanted.calls is None else _some(calls, wanted.calls, wanted.chance)
        tally.known |= {f"syscall: {strike.what} of the {strike.who}" for strike in chosen}
        for number, strike in enumerate(chosen):
            if time.monotonic() < wanted.until:
                _strike(rack, place, strike, ERRORS[number % len(ERRORS)], tally)
        print(
            f"syscall, {place}: {len(chosen)} of {len(calls)} calls; {tally.injected['system calls']} failures so far", flush=True
        )


def _strike(rack: Rack, place: str, strike: Strike, error: str, tally: Tally) -> None:
    try:
        if not any(rack.let_fail(strike, error) for _ in range(3)):
            tally.missed += 1
            raise Violation("this call was not made again")
        tally.injected["system calls"] += 1
        tally.hit.add(f"syscall: {strike.what} of the {strike.who}")
        tally.outcomes.update(f"syscall {error}: {state}" for state, _, _ in rack.world.ends())
        rack.world.bury()
        rack.check()
    except Violation as violation:
        tally.violations.append(f"{place}: {strike}, {error}: {violation}")
        print(f"VIOLATION {tally.violations[-1]}", flush=True)


def _some(calls: Sequence[Strike], count: int, chance: random.Random) -> list[Strike]:
    """So many, of as many names as there can be."""
    seen: Counter[str] = Counter()
    ranks = []
    for strike in chance.sample(calls, len(calls)):
        seen[strike.what] += 1
        ranks.append((seen[strike.what], strike))
    chosen = [strike for _, strike in sorted(ranks, key=lambda one: one[0])[:count]]
    return sorted(chosen, key=calls.index)
