"""The daemon: takes rows in, inserts scheduled ones, and keeps engines running for what is due.

It decides nothing about tasks. The database says what is due; a second daemon on the same database is harmless.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from config import (
    ConfigError,
    EngineSettings,
    EnvironmentSettings,
    SecretError,
    Secrets,
    Settings,
    configure_logging,
    load,
    queue_url,
    this_host,
)
from daemon import Bell, Child, Signals, Systemd, Ticker, meaning
from database import Database, DatabaseError, DatabaseUnavailable, Intake, Leases, NewTask, SchemaMismatch, upgrade

# By name: as a script this module is called __main__.
log = structlog.get_logger("scheduler")

ENGINE = (sys.executable, "-P", "-m", "engines")
STAGGER = 2.0
"""Seconds after an engine's start before another joins it: time to take what is due, so that one task starts one engine."""
STEADY = 60.0
"""An engine that ran this many seconds was no failed start: its end begins a new count."""
KILL_MARGIN = 10.0
"""Seconds beyond the stop grace in which engines give back what they could not finish."""
OUTAGE_CAP = 30.0
"""The most seconds between two looks at a database that is down."""
PURGE_EVERY = 3600.0
BATCH = 500
"""Rows in one transaction of intake or purge."""
EXIT_FAILED, EXIT_CONFIGURATION = 1, 4


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

    def tend(self, due: frozenset[str]) -> None:
        """Rings the engines of the environments in which something is due, and starts one more where there are too few."""
        for name in sorted(due & self.settings.environments.keys()):
            for hand in self.hands:
                if hand.environment == name and not hand.child.asked_to_stop:
                    hand.child.ring()
            if self.crews.get(name, Crew()).wants_one_more(self.settings.environments[name], self.clock()):
                self._start(name)

    def _start(self, name: str) -> None:
        now = self.clock()
        crew = self.crews.get(name, Crew())
        self.crews[name] = crew = replace(crew, running=crew.running + 1, newest=now)
        try:
            child = Child.start([*ENGINE, name], self.settings, self.variables)
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


class Daemon:
    """The main loop: single-threaded, and interruptible wherever it waits."""

    def __init__(self, path: Path | None, settings: Settings, secrets: Secrets, signals: Signals, bell: Bell) -> None:
        self._path, self._settings, self._secrets, self._signals, self._bell = path, settings, secrets, signals, bell
        self._systemd = Systemd()
        self._crews = Crews(settings, self._systemd.environment_of_children())
        self._ticker = Ticker(settings.schedules, bell.ring, datetime.now(UTC))
        self._dead: set[int] = set()
        self._purge_at = self._rescue_at = time.monotonic()
        self._greeted = False
        self._failed_tries = 0

    def run(self, database: Database) -> None:
        """Serves until SIGTERM, then lets the engines finish; that also when something unforeseen ends the loop."""
        intake, leases = Intake(database), Leases(database)
        log.info("daemon started", environments=sorted(self._settings.environments), queue=database.dialect, pid=os.getpid())
        # Ready also while the database is down: waiting for it is this daemon's work, not a failed start.
        self._systemd.tell("READY=1")
        self._ticker.start()
        try:
            while not self._signals.stops:
                self._systemd.tell("WATCHDOG=1")
                if self._signals.reload:
                    self._reload()
                self._bell.wait(self._turn(database, intake, leases))
        finally:
            self._ticker.stop()
            self._drain()
            with suppress(DatabaseError):
                self._bury(leases)
            log.info("daemon stopped")

    def _turn(self, database: Database, intake: Intake, leases: Leases) -> float:
        """One look at everything; the seconds until the next."""
        self._dead |= self._crews.reap()
        try:
            if not self._greeted:
                self._greet(database)
            again = self._serve(intake, leases)
        except DatabaseUnavailable as error:
            delay = min(OUTAGE_CAP, 2.0 ** min(self._failed_tries, 10))
            # After an outage every lease looks expired: engines get one lease's time to renew theirs.
            self._rescue_at = time.monotonic() + self._settings.queue.lease
            self._greeted, self._failed_tries = False, self._failed_tries + 1
            log.warning("database unavailable", reason=str(error), next_try_in=delay)
            return delay
        return 0 if again else self._settings.queue.poll

    def _greet(self, database: Database) -> None:
        """Before the first look, and after each outage: it may be another schema by then."""
        if database.dialect == "sqlite":
            # The embedded database has no administrator who would do it.
            upgrade(queue_url(self._settings))
        database.check_schema()
        log.info("database available", failed_tries=self._failed_tries)
        self._greeted, self._failed_tries = True, 0

    def _serve(self, intake: Intake, leases: Leases) -> bool:
        """What the queue needs now; whether it is worth looking again at once."""
        self._bury(leases)
        poll = intake.poll()
        if poll.dead and time.monotonic() >= self._rescue_at:
            leases.rescue()
        if poll.cancel:
            intake.sweep()
        accepted = intake.accept(self._settings, BATCH) if poll.intake else 0
        inserted = self._insert_scheduled(intake)
        self._crews.tend(poll.due)
        self._purge(intake)
        return accepted > 0 or inserted

    def _bury(self, leases: Leases) -> None:
        """A child that is known to be dead need not be waited for until its lease ends."""
        if not self._dead:
            return
        here = this_host()
        for view in leases.engines():
            engine = view.engine
            if (engine.host, engine.boot) == here and engine.pid in self._dead and leases.bury(engine.start):
                log.warning("dead engine buried", environment=engine.environment, pid=engine.pid)
        self._dead.clear()

    def _insert_scheduled(self, intake: Intake) -> bool:
        """A row for each schedule that is due, once for each moment, however many daemons do the same."""
        moments = self._ticker.due(intake.last_fired, datetime.now(UTC))
        for name, moment in moments:
            schedule = self._settings.schedules[name]
            row = schedule.model_dump(include={"url", "environment", "action", "priority", "parameters"})
            first = intake.fire(name, moment, NewTask(**row, requested_by=f"schedule {name}"))
            self._ticker.done(name, moment)
            log.info("schedule came due", schedule=name, at=moment.isoformat(), inserted=first)
        return bool(moments)

    def _purge(self, intake: Intake) -> None:
        if time.monotonic() >= self._purge_at:
            gone = intake.purge(self._settings.queue.keep_finished_days, BATCH)
            # A full batch means there is more: go on with the next turn, so that no transaction is long.
            self._purge_at = time.monotonic() + (0 if gone >= BATCH else PURGE_EVERY)

    def _reload(self) -> None:
        """Takes the file as it is now, if it is good. Engines of the old settings finish what they run; nothing is dropped."""
        self._signals.reload = False
        try:
            settings = load(self._path)
        except ConfigError as error:
            for fault in error.faults:
                log.error("configuration refused, the old one stays", fault=str(fault))  # noqa: TRY400 - it has no use for a traceback
            return
        if queue_url(settings) != queue_url(self._settings):
            log.error("configuration refused, the old one stays", fault="queue.url is another one: restart the daemon for that")
            return
        configure_logging(settings.log, sys.stderr, self._secrets)
        self._crews.dismiss()
        self._crews.settings = self._settings = settings
        self._ticker.stop()
        self._ticker = Ticker(settings.schedules, self._bell.ring, datetime.now(UTC))
        self._ticker.start()
        log.info("configuration reloaded", environments=sorted(settings.environments))

    def _drain(self) -> None:
        self._systemd.tell("STOPPING=1")
        log.info("daemon stopping", engines=len(self._crews.hands))
        self._crews.dismiss()
        deadline, asked = time.monotonic() + self._settings.engine.stop_grace + KILL_MARGIN, max(self._signals.stops, 1)
        while self._crews.hands:
            self._systemd.tell("WATCHDOG=1")
            if self._signals.stops > asked:
                # Who asks again does not want to wait: what runs goes back to the queue. The third time nothing is waited for.
                asked = self._signals.stops
                deadline = time.monotonic() + (KILL_MARGIN if asked == 2 else 0)
                self._crews.hurry()
            if time.monotonic() >= deadline:
                self._crews.kill()
            self._bell.wait(0.5)
            self._dead |= self._crews.reap()


def run(config_path: Path | None) -> int:
    """Runs the daemon until SIGTERM or SIGINT. 0: stopped as asked; 1: the database refuses; 4: a person must act first."""
    try:
        settings = load(config_path)
    except ConfigError as error:
        print(f"slipway: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    secrets, bell = Secrets(), Bell()
    configure_logging(settings.log, sys.stderr, secrets)
    signals = Signals(bell)
    signals.install()
    try:
        password = secrets.read(settings.queue.password) if settings.queue.password is not None else None
        with closing(Database.connect(queue_url(settings), password)) as database:
            Daemon(config_path, settings, secrets, signals, bell).run(database)
    except (SecretError, SchemaMismatch, OSError) as error:
        log.critical("daemon cannot work", reason=str(error))
        return EXIT_CONFIGURATION
    except DatabaseError as error:
        log.critical("daemon cannot work", reason=str(error))
        return EXIT_FAILED
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scheduler.py", description="The Slipway daemon.")
    parser.add_argument("--config", type=Path, help="the configuration file")
    return run(parser.parse_args().config)


if __name__ == "__main__":
    sys.exit(main())
