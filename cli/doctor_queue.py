"""What `doctor` says of the queue: the database, its schema, its clock, the account, the engines, and what is left alone."""

import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from answers import WORKS, at, many, standing, standing_words
from cli.session import Session, open_database
from config import SecretError, queue_url
from database import (
    Account,
    Database,
    DatabaseError,
    DatabaseUnavailable,
    Desk,
    Intake,
    Leases,
    QueueRestored,
    Restoration,
    SchemaMismatch,
    rights,
)
from targets import Check

SKEW = 2.0
"""Seconds by which two clocks that are kept by NTP never differ."""
SKEW_TOO_FAR = 60.0
"""Seconds after which logs, schedules and signatures here mean other moments than the queue's rows."""
MEANT_FOR = {
    Account.ENGINE: "changes rows: for the daemon and the engines",
    Account.OPERATOR: "looks and inserts requests: for operators, not for the daemon",
    Account.READER: "can look, and nothing else",
    Account.STRANGER: "cannot look at the tables",
}


def queue_checks(session: Session) -> Iterator[Check]:
    """Everything about the queue; nothing more once it cannot be used."""
    try:
        database = open_database(session.settings, session.secrets)
    except SecretError as error:
        yield Check("failure", f"queue: {error}", "make the secret readable for this account")
        return
    except SchemaMismatch as error:
        yield Check(
            "failure", f"queue: {error}", "'slipway db upgrade' makes or changes the schema; it needs an account that may"
        )
        return
    except DatabaseUnavailable as error:
        yield Check("failure", f"queue: {error}", "is the server up, and does queue.url name it?")
        return
    except DatabaseError as error:
        yield Check("failure", f"queue: {error}", "correct queue.url, queue.password or what the server allows")
        return
    try:
        yield Check("ok", f"queue: {database.dialect}, id {database.queue_id}")
        yield Check("ok", f"schema: {database.revision}, as this version needs it")
        yield from guarded_queue_checks(session, database)
    except DatabaseError as error:
        yield Check("failure", f"queue: {error}", "correct that and run 'slipway doctor' again")
    finally:
        database.close()


def guarded_queue_checks(session: Session, database: Database) -> Iterator[Check]:
    try:
        Restoration(database).check()
    except QueueRestored as error:
        yield Check("failure", f"queue: {error}", "look first, then let it go on")
    yield clock_check(database)
    yield from account_checks(session, database)
    yield from engine_checks(session, database)
    now = Leases(database).now()
    for breaker in Desk(database).breakers():
        if breaker.open:
            words = f"breaker {breaker.name}: left alone since {at(breaker.since, now)}: {breaker.reason}"
            yield Check("warning", words, f"correct what it says; it is asked again {at(breaker.probe_at, now)}")


def clock_check(database: Database) -> Check:
    """The database's clock beside that of this machine. The half of the question's way is not known, so it counts for neither."""
    if database.dialect == "sqlite":
        return Check("ok", "clock: an embedded queue has this machine's own")
    before, began = datetime.now(UTC), time.monotonic()
    there = Leases(database).now()
    doubt = (time.monotonic() - began) / 2
    apart = (there - before).total_seconds() - doubt
    words = f"clock: the database's is {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} this machine's"
    if abs(apart) - doubt <= SKEW:
        return Check("ok", words)
    outcome = "failure" if abs(apart) - doubt > SKEW_TOO_FAR else "warning"
    return Check(
        outcome, words, "let NTP (systemd-timesyncd, chrony) keep both: schedules, logs and signatures go by the clock here"
    )


def account_checks(session: Session, database: Database) -> Iterator[Check]:
    """Which of the two accounts this is, and whether it can do more than it should."""
    found = rights(database)
    if found is None:
        yield file_check(queue_url(session.settings))
        return
    words = f"account {found.name}: {found.account}, {MEANT_FOR[found.account]}"
    remedy = "deploy/mysql-accounts.sql makes the two accounts with what they need"
    if found.missing:
        yield Check("failure", f"{words}; it lacks {', '.join(found.missing)}", remedy)
    elif found.excess:
        yield Check("warning", f"{words}; it may do more than it needs: {', '.join(found.excess)}", remedy)
    else:
        yield Check("ok", f"{words}; it may do what it needs and no more")


def file_check(url: str) -> Check:
    """An embedded queue's only rights are those of its file."""
    path = Path(url.split("///", 1)[1])
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        return Check("failure", f"account: everybody on this machine may write {path}", f"chmod o-w {path}")
    return Check("ok", f"account: the queue is the file {path}, mode {stat.S_IMODE(mode):04o}")


def engine_checks(session: Session, database: Database) -> Iterator[Check]:
    """Whether somebody works where engines should, and where not, what keeps them from it."""
    poll, pauses, up = Intake(database).poll(), Desk(database).pauses(), Leases(database).engines()
    for name, settings in session.settings.environments.items():
        engines = poll.engines.get(name, 0)
        by_hand = ", started by hand" if settings.start == "manual" else ""
        hosts = sorted({each.engine.host for each in up if each.engine.environment == name})
        where = f" on {', '.join(hosts)}" if engines and hosts else ""
        said = f"environment {name}: {many(engines, 'engine')} up{where}{by_hand}"
        state = standing(pauses.get(name), engines)
        if state != WORKS:
            yield Check("warning", f"{said}; {standing_words(name, state)}", "'slipway audit list' says who wanted that, and why")
        elif name in poll.due and not engines:
            remedy = (
                f"start one: 'python -P -m engines {name}'" if by_hand else "'slipway run' (the service slipway) starts engines"
            )
            yield Check("warning", f"{said} although something is due", remedy)
        else:
            yield Check("ok", said)
