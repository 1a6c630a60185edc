"""Which engines run for which environment: how many, since when, and when a failed one is started again."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import structlog

from config import EngineSettings, EnvironmentSettings, Settings
from daemon.child import Child, meaning

log = structlog.get_logger(__name__)

ENGINE = (sys.executable, "-P", "-m", "engines")
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""For the C library of an engine, unless the service says otherwise. By itself it gives each thread a heap, which keeps what the
others could use: 8 of 181 MB of two engines. Python lets one thread run at a time, so they seldom wait for each other."""
STAGGER = 2.0
"""Seconds after an engine's start before another joins it: time to take what is due, so that one task starts one engine."""
STEADY = 60.0
"""An engine that ran this many seconds was no failed start: its end begins a new count."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What is known about one environment's engines: enough to decide whether one more is started."""

    running: int = 0
    newest: float = float("-inf")
    """When the newest was started, in seconds of the monotonic clock."""
    failures: int = 0
    """Failed starts in a row."""
    rest_until: float = float("-inf")

    def wants_one_more(self, environment: EnvironmentSettings, now: float) -> bool:
        """For an environment in which something is due."""
        if environment.start == "manual" or self.running >= environment.engines or now < self.rest_until:
            return False
        return self.running == 0 or now >= self.newest + STAGGER

    def after_end(self, *, failed: bool, lived: float, settings: EngineSettings, now: float) -> "Crew":
        """An engine ended after `lived` seconds. Also a clean end rests a little: what is due may be what nobody can take now."""
        failures = (1 if lived >= STEADY else self.failures + 1) if failed else 0
        rest = min(settings.restart_cap, settings.restart_base * 2.0 ** min(max(failures - 1, 0), 30))
        return replace(self, running=self.running - 1, failures=failures, rest_until=now + rest)


@dataclass(frozen=True, slots=True)
class Hand:
    """One engine of a crew."""

    environment: str
    child: Child
    started: float


@dataclass(slots=True)
class Crews:
    """Starts, rings, stops and reaps engines. For the main thread only."""

    settings: Settings
    variables: Mapping[str, str]
    clock: Callable[[], float] = time.monotonic
    hands: list[Hand] = field(default_factory=list)
    crews: dict[str, Crew] = field(default_factory=dict)
    _due: frozenset[str] = frozenset()

    def tend(self, due: frozenset[str], *, news: bool = False) -> None:
        """Rings the engines of the environments in which something is due, and starts one more where there are too few.

        `news`: rows came in since the last call. What is due still may be what nobody can take now: engines are told which it is.
        """
        before, self._due = self._due, due
        for name in sorted(due & self.settings.environments.keys()):
            for hand in self.hands:
                if hand.environment == name and not hand.child.asked_to_stop:
                    hand.child.ring(news=news or name not in before)
            if self.crews.get(name, Crew()).wants_one_more(self.settings.environments[name], self.clock()):
                self._start(name)

    def _start(self, name: str) -> None:
        now = self.clock()
        crew = self.crews.get(name, Crew())
        self.crews[name] = crew = replace(crew, running=crew.running + 1, newest=now)
        try:
            child = Child.start([*ENGINE, name], self.settings, {**ONE_HEAP, **self.variables})
        except OSError as error:
            self.crews[name] = crew.after_end(failed=True, lived=0, settings=self.settings.engine, now=now)
            log.exception("engine not started", environment=name, reason=str(error))
            return
        self.hands.append(Hand(name, child, now))
        log.info("engine process started", environment=name, pid=child.pid)

    def reap(self) -> frozenset[int]:
        """The pids of engines that ended without taking leave. Only own processes are waited for."""
        ended = {hand: code for hand in self.hands if (code := hand.child.reap()) is not None}
        for hand, code in ended.items():
            self.hands.remove(hand)
            self._note_end(hand, code)
        return frozenset(hand.child.pid for hand, code in ended.items() if code != 0)

    def _note_end(self, hand: Hand, code: int) -> None:
        write = log.info if code == 0 or hand.child.asked_to_stop else log.error
        write("engine process ended", environment=hand.environment, pid=hand.child.pid, result=meaning(code))
        if not hand.child.asked_to_stop:
            now, crew = self.clock(), self.crews[hand.environment]
            after = crew.after_end(failed=code != 0, lived=now - hand.started, settings=self.settings.engine, now=now)
            self.crews[hand.environment] = after

    def dismiss(self) -> None:
        """Asks every engine to finish what it runs, within the grace, and to end."""
        for hand in self.hands:
            if not hand.child.asked_to_stop:
                hand.child.ask_to_stop()
        self.crews.clear()

    def hurry(self) -> None:
        """Asks every engine to give back what it runs, and to end."""
        for hand in self.hands:
            hand.child.ask_to_stop()

    def kill(self) -> None:
        """Ends every engine that is left."""
        for hand in self.hands:
            log.warning("engine killed", environment=hand.environment, pid=hand.child.pid)
            hand.child.kill()
