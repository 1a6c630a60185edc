"""The daemon: takes rows in, inserts scheduled ones, and keeps engines running for what is due.

It decides nothing about tasks. The database says what is due; a second daemon on the same database is harmless.
"""

import argparse
import hashlib
import os
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import config  # noqa: F401 - first of all: see config.lean

# isort: split
import structlog

from config import (
    AlertSettings,
    ConfigError,
    SecretError,
    Secrets,
    Settings,
    breakers_of,
    configure_logging,
    load,
    queue_url,
    this_host,
)
from daemon import Bell, Companion, Crews, Pace, Signals, Systemd, Ticker
from database import (
    SEALED_AT_ONCE,
    Audit,
    Database,
    DatabaseError,
    DatabaseUnavailable,
    Entry,
    Intake,
    Interest,
    Leases,
    QueueRestored,
    Restoration,
    SchemaMismatch,
    Takeover,
    Watching,
    restored_sentence,
    scheduled_row,
    upgrade,
)
from notices import Alerter, Watch

# By name: as a script this module is called __main__.
log = structlog.get_logger("scheduler")

KILL_MARGIN = 10.0
"""Seconds beyond the stop grace in which engines give back what they could not finish."""
OUTAGE_CAP = 30.0
"""The most seconds between two looks at a database that is down."""
STOPPED_PAUSE = 10.0
"""Seconds between two looks at a queue that waits for a person."""
PURGE_EVERY = 3600.0
TREND_EVERY = 30.0
"""Seconds between two looks at what has ended, once all is added up."""
BATCH = 500
"""Rows in one transaction of intake or purge."""
EXIT_FAILED, EXIT_CONFIGURATION = 1, 4


class Daemon:
    """The main loop: single-threaded, and interruptible wherever it waits."""

    def __init__(self, path: Path | None, settings: Settings, secrets: Secrets, signals: Signals, bell: Bell) -> None:
        self._path, self._settings, self._secrets, self._signals, self._bell = path, settings, secrets, signals, bell
        self._systemd = Systemd()
        self._crews = Crews(settings, self._systemd.environment_of_children())
        self._console = Companion(settings, self._systemd.environment_of_children())
        self._ticker = Ticker(settings.schedules, bell.ring, datetime.now(UTC))
        self._pace = Pace()
        self._dead: set[int] = set()
        self._watch: Watch | None = None
        self._purge_at = self._trend_at = time.monotonic()
        self._greeted = self._configured = self._accepted = self._others_at_intake = False
        self._failed_tries = 0

    def run(self, database: Database) -> None:
        """Serves until SIGTERM, then lets the engines finish; that also when something unforeseen ends the loop."""
        intake, restoration = Intake(database), Restoration(database)
        takeover = Takeover(Leases(database), self._settings.queue.lease)
        log.info("daemon started", environments=sorted(self._settings.environments), queue=database.dialect, pid=os.getpid())
        # Ready also while the database is down: waiting for it is this daemon's work, not a failed start.
        self._systemd.tell("READY=1")
        self._ticker.start()
        try:
            while not self._signals.stops:
                self._systemd.tell("WATCHDOG=1")
                if self._signals.reload:
                    self._reload()
                self._bell.wait(self._turn(database, intake, takeover, restoration))
        finally:
            self._ticker.stop()
            self._drain()
            with suppress(DatabaseError):
                self._bury(takeover)
            self._watch_no_more()
            log.info("daemon stopped")

    def _turn(self, database: Database, intake: Intake, takeover: Takeover, restoration: Restoration) -> float:
        """One look at everything; the seconds until the next."""
        self._dead |= self._crews.reap()
        # Also while the database is down: the console says so.
        self._console.tend()
        try:
            if not self._greeted:
                self._greet(database)
                takeover.bury()
            if not self._configured:
                self._note_configuration(database)
            self._begin_watch(database)
            if self._serve(intake, takeover, restoration):
                return 0
            pause = self._pace.pause(self._settings.queue.poll)
            # Rows that somebody else is at are no news.
            return pause if self._others_at_intake else self._pace.glance(pause, self._bell.wait, intake.news)
        except QueueRestored as error:
            log.critical("queue stopped", reason=str(error))
            return STOPPED_PAUSE
        except DatabaseUnavailable as error:
            delay = min(OUTAGE_CAP, 2.0 ** min(self._failed_tries, 10))
            takeover.outage()
            self._greeted, self._failed_tries = False, self._failed_tries + 1
            log.warning("database unavailable", reason=str(error), next_try_in=delay)
            return delay

    def _greet(self, database: Database) -> None:
        """Before the first look, and after each outage: it may be another schema by then."""
        if database.dialect == "sqlite":
            # The embedded database has no administrator who would do it.
            upgrade(queue_url(self._settings))
        database.check_schema()
        log.info("database available", failed_tries=self._failed_tries)
        self._greeted, self._failed_tries = True, 0

    def _note_configuration(self, database: Database) -> None:
        """In the audit log: which settings are in force from now on, by their digest. Secrets are no part of them."""
        digest = hashlib.sha256(self._settings.model_dump_json().encode()).hexdigest()
        who = f"daemon {os.getpid()} on {this_host()[0]}"
        Audit(database).note(Entry(kind="configured", who=who, document={"digest": digest}))
        self._configured = True

    def _begin_watch(self, database: Database) -> None:
        """Alerts are a thread's work: a mail server that hangs must not keep this loop from polling."""
        if self._watch is None:
            settings = self._settings
            ledgers = {name: Watching(database, name, _interest(settings, alert)) for name, alert in settings.alerts.items()}
            self._watch = Watch(ledgers, Alerter(settings.alerts, self._secrets, this_host()[0]).send)
            self._watch.start()

    def _watch_no_more(self, seconds: float = 2.0) -> None:
        if self._watch is not None:
            self._watch.stop(seconds)
            self._watch = None

    def _serve(self, intake: Intake, takeover: Takeover, restoration: Restoration) -> bool:
        """What the queue needs now; whether it is worth looking again at once. Raises QueueRestored."""
        self._bury(takeover)
        poll = intake.poll()
        restoration.saw(poll.fence)
        if poll.stopped is not None:
            raise QueueRestored(restored_sentence(poll.stopped))
        # First of all: whoever waits for something that is due waits for this. What was taken in, the next poll counts.
        self._crews.tend(poll.due, news=self._accepted)
        if poll.dead:
            takeover.rescue()
        if poll.cancel:
            intake.sweep()
        if poll.takedowns:
            intake.settle_takedowns()
        if poll.unsealed and self._pace.seals():
            self._pace.sealed(more=intake.seal() >= SEALED_AT_ONCE)
        self._accepted = bool(poll.intake and intake.accept(self._settings, BATCH))
        self._others_at_intake = poll.intake and not self._accepted
        self._pace.saw(poll.fence, poll.due, news=self._accepted)
        inserted = self._insert_scheduled(intake)
        self._add_up(intake)
        self._purge(intake)
        return self._accepted or inserted

    def _bury(self, takeover: Takeover) -> None:
        """A child that is known to be dead need not be waited for until its lease ends."""
        if self._dead:
            takeover.bury()
            self._dead.clear()

    def _insert_scheduled(self, intake: Intake) -> bool:
        """A row for each schedule that is due, once for each moment, however many daemons do the same."""
        moments = self._ticker.due(intake.last_fired, datetime.now(UTC))
        for name, moment in moments:
            first = intake.fire(name, moment, scheduled_row(name, self._settings.schedules[name]))
            self._ticker.done(name, moment)
            log.info("schedule came due", schedule=name, at=moment.isoformat(), inserted=first)
        return bool(moments)

    def _add_up(self, intake: Intake) -> None:
        """What trends are drawn from. A full batch means that there is more: the next turn goes on with it."""
        if time.monotonic() >= self._trend_at and intake.add_up(BATCH) < BATCH:
            self._trend_at = time.monotonic() + TREND_EVERY

    def _purge(self, intake: Intake) -> None:
        if time.monotonic() >= self._purge_at:
            gone = intake.purge(self._settings.queue.keep_finished_days, BATCH)
            stranded = intake.end_stranded(self._settings)
            # A full batch means there is more: go on with the next turn, so that no transaction is long.
            self._purge_at = time.monotonic() + (0 if max(gone, stranded) >= BATCH else PURGE_EVERY)

    def _reload(self) -> None:
        """Takes the file as it is now, if it is good. Engines of the old settings finish what they run; nothing is dropped."""
        self._signals.reload = False
        try:
            settings = load(self._path)
        except ConfigError as error:
            for fault in error.faults:
                log.error("configuration refused, the old one stays", fault=str(fault))  # noqa: TRY400 - it has no use for a traceback
            return
        if (queue_url(settings), settings.queue.password) != (queue_url(self._settings), self._settings.queue.password):
            why = "queue.url or queue.password is another one: restart the daemon for that"
            log.error("configuration refused, the old one stays", fault=why)
            return
        configure_logging(settings.log, sys.stderr, self._secrets)
        self._crews.dismiss()
        self._console.dismiss()
        self._crews.settings = self._console.settings = self._settings = settings
        self._configured = False
        self._ticker.stop()
        seen = self._ticker.seen(settings.schedules)
        self._ticker = Ticker(settings.schedules, self._bell.ring, datetime.now(UTC), seen)
        self._ticker.start()
        # The next turn begins the watch anew; what the old one is sending, it ends by itself.
        self._watch_no_more(seconds=0)
        log.info("configuration reloaded", environments=sorted(settings.environments))

    def _drain(self) -> None:
        self._systemd.tell("STOPPING=1")
        log.info("daemon stopping", engines=len(self._crews.hands))
        self._crews.dismiss()
        self._console.dismiss()
        deadline, asked = time.monotonic() + self._settings.engine.stop_grace + KILL_MARGIN, max(self._signals.stops, 1)
        while self._crews.hands or self._console.child is not None:
            self._systemd.tell("WATCHDOG=1")
            if self._signals.stops > asked:
                # Who asks again does not want to wait: what runs goes back to the queue. The third time nothing is waited for.
                asked = self._signals.stops
                deadline = time.monotonic() + (KILL_MARGIN if asked == 2 else 0)
                self._crews.hurry()
            if time.monotonic() >= deadline:
                self._crews.kill()
                self._console.kill()
            self._bell.wait(0.5)
            self._dead |= self._crews.reap()
            self._console.reap()


def _interest(settings: Settings, alert: AlertSettings) -> Interest:
    return Interest(alert.on, alert.overdue, alert.environments, breakers_of(settings, alert.environments))


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
