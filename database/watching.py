"""What alerts read, and how far each has come: so that several daemons tell everything, and tell it once.

An alert's place is one row of `setting`, changed only by whoever knows its value: of two daemons that found the same, one
may tell it. Overdue tasks get an event OVERDUE when they are first seen, so that they are told like everything else that
happened, and once.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from database import schema
from database.connection import Database
from database.lateness import overdue
from database.rows import insert_ignore, object_of, tell

SCAN = 5000
"""Events read in one go."""
SCANS = 20
"""So many times in one look, at most: when a whole republish fails, that must not be a message a minute for half a day."""
REASONS = 100
"""Incidents of one look whose reasons are kept; of further ones only the number is told."""
PATROL = timedelta(seconds=30)
"""How often overdue tasks are looked for: in a long republish there are very many, and a minute more or less does not count."""
GAP = timedelta(seconds=60)
"""How long an event's number that is missing is waited for: its transaction may not have ended yet."""
STEADY = timedelta(seconds=60)
"""How long a breaker is open before it is told: most outages are shorter than the way to a desk."""

_event, _queue, _setting, _target = schema.event.c, schema.queue.c, schema.setting.c, schema.target.c
_KINDS = {"failed": "FAILED", "held": "HELD", "overdue": "OVERDUE"}


@dataclass(frozen=True, slots=True)
class Interest:
    """What an alert is about. `kinds`: of failed, held, overdue, breaker. No `environments`: all; the same for `breakers`."""

    kinds: Collection[str]
    overdue: float
    """Seconds."""
    environments: tuple[str, ...] = ()
    breakers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A task that failed, is held or overdue."""

    kind: str
    task: int
    at: datetime
    reason: str
    url: str
    environment: str
    action: str
    target: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A target, source or notice that is left alone since this moment; or was, and answers again."""

    name: str
    since: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is to be told. `event`: everything up to this one is in it, or of no interest."""

    event: int
    incidents: tuple[Incident, ...] = ()
    opened: tuple[Outage, ...] = ()
    closed: tuple[Outage, ...] = ()


class Watching:
    """One alert's place in what happens. For one thread; every other daemon has one of its own."""

    def __init__(
        self, db: Database, alert: str, interest: Interest, nonce: Callable[[], str] = lambda: secrets.token_hex(4)
    ) -> None:
        self._db, self._alert, self._interest, self._nonce = db, alert, interest, nonce
        self._name = f"alert:{alert}"
        self._value = ""
        self._paused: dict[str, datetime] = {}
        self._patrolled: datetime | None = None

    def waits(self) -> bool:
        """Whether it is too early for the next look, or another daemon is at it. The first call ever begins here and now."""
        now, found = self._db.look(lambda connection: _place(connection, self._name))
        if found is None:
            now, found = self._db.change(lambda connection: _new_place(connection, self._name))
        self._value = found or ""
        after = object_of(self._value).get("next")
        return after is not None and datetime.fromisoformat(after) > now

    def look(self) -> Findings:
        """What happened since the last time that something was told."""
        place = object_of(self._value)
        if "overdue" in self._interest.kinds:
            self._patrol(datetime.fromisoformat(place["begun"]))
        upto, incidents = self._happened(int(place["event"]))
        opened, closed = self._outages()
        return Findings(upto, tuple(incidents), tuple(opened), tuple(closed))

    def _happened(self, since: int) -> tuple[int, list[Incident]]:
        """The last event that was looked at, and the incidents up to it."""
        last, found = since, list[Incident]()
        for _ in range(SCANS):
            first, last = last, self._db.look(partial(settled_until, since=last))
            if last == first:
                break
            more = self._db.look(partial(_incidents, since=first, upto=last, interest=self._interest, mark=self._mark))
            room = max(0, REASONS - len(found))
            found += [*more[:room], *(replace(each, reason="") for each in more[room:])]
        return last, found

    def claim(self, seconds: float) -> bool:
        """Become the one who tells what `look` found, for so long; False: another daemon is."""
        return self._move({}, seconds)

    def told(self, event: int, opened: Collection[str] = (), closed: Collection[str] = (), *, wait: float = 0.0) -> bool:
        """Everything up to this event is told, or of no interest, and so are these outages. The next look is after `wait` s."""
        if not (opened or closed or wait) and event == object_of(self._value)["event"]:
            return True
        return self._move({"event": event}, wait, opened, closed)

    def put_off(self, seconds: float) -> bool:
        """It could not be told: the next look, by whoever it is, comes after so long."""
        return self._move({}, seconds)

    def _move(self, values: Mapping[str, Any], wait: float, opened: Collection[str] = (), closed: Collection[str] = ()) -> bool:
        nonce = self._nonce()

        def work(connection: Connection) -> str | None:
            after = _now(connection) + timedelta(seconds=wait)
            new = json.dumps({**object_of(self._value), **values, "next": after.isoformat(), "by": nonce})
            guarded = update(schema.setting).where(_setting.name == self._name, _setting.value == self._value)
            if connection.execute(guarded.values(value=new)).rowcount != 1:
                # The commit of an earlier try may have gone through although its answer was lost.
                found: str = connection.execute(select(_setting.value).where(_setting.name == self._name)).scalar_one()
                return found if object_of(found).get("by") == nonce else None
            self._remember(connection, opened, closed)
            return new

        moved = self._db.change(work)
        self._value = moved or self._value
        return moved is not None

    @property
    def _mark(self) -> str:
        return f"overdue, for the alert {self._alert}"

    def _patrol(self, begun: datetime) -> None:
        now = self._db.look(_now)
        if self._patrolled is None or now >= self._patrolled + PATROL:
            self._patrolled = now
            if self._db.look(lambda connection: self._late(connection, begun)):
                self._db.change(lambda connection: self._mark_overdue(connection, begun))

    def _mark_overdue(self, connection: Connection, begun: datetime) -> None:
        # Of two daemons one waits here, and then finds the marks of the other.
        connection.execute(select(_setting.value).where(_setting.name == self._name).with_for_update())
        late = self._late(connection, begun)
        tell(connection, _now(connection), ((task, "OVERDUE", self._mark, None) for task in late))

    def _late(self, connection: Connection, begun: datetime) -> Sequence[int]:
        now, patience = _now(connection), timedelta(seconds=self._interest.overdue)
        resting = self._resting(connection, now, patience)
        late = overdue(now - patience, begun - patience, begun, self._mark)
        if self._interest.environments:
            late = late.where(_queue.environment.in_(self._interest.environments))
        if resting:
            late = late.where(_queue.environment.not_in(sorted(resting)))
        return connection.scalars(late).all()

    def _resting(self, connection: Connection, now: datetime, patience: timedelta) -> set[str]:
        """Environments that are paused, or were a moment ago: what waited for that has not been late."""
        environment = schema.environment.c
        for name in connection.scalars(select(environment.name).where(environment.paused != 0)):
            self._paused[name] = now
        return {name for name, seen in self._paused.items() if seen > now - patience}

    def _outages(self) -> tuple[list[Outage], list[Outage]]:
        interest = self._interest
        if "breaker" not in interest.kinds:
            return [], []
        told = self._db.look(lambda connection: _told(connection, self._alert))
        wanted = select(schema.target, schema.NOW.label("now")).where(_target.is_open == 1).order_by(_target.name)
        rows = self._db.look(lambda connection: connection.execute(wanted).all())
        of_interest = [row for row in rows if interest.breakers is None or row.name in interest.breakers]
        opened = [
            Outage(row.name, row.since, row.reason or "")
            for row in of_interest
            if row.name not in told and row.since is not None and row.since <= row.now - STEADY
        ]
        closed = [Outage(name, since) for name, since in sorted(told.items()) if name not in {row.name for row in rows}]
        return opened, closed

    def _remember(self, connection: Connection, opened: Iterable[str], closed: Iterable[str]) -> None:
        now = _now(connection).isoformat()
        rows = [
            {
                "name": _told_name(self._alert, name),
                "value": json.dumps({"alert": self._alert, "breaker": name, "since": now}),
            }
            for name in opened
        ]
        insert_ignore(connection, schema.setting, rows)
        for name in closed:
            connection.execute(delete(schema.setting).where(_setting.name == _told_name(self._alert, name)))


_TOLD = "alert-breaker:"


def _told_name(alert: str, breaker: str) -> str:
    return _TOLD + hashlib.sha256(f"{alert}\0{breaker}".encode()).hexdigest()[:40]


def _told(connection: Connection, alert: str) -> dict[str, datetime]:
    """The breakers that this alert has told as open, and when it did."""
    rows = connection.scalars(select(_setting.value).where(_setting.name.like(f"{_TOLD}%"))).all()
    places = [object_of(row) for row in rows]
    return {place["breaker"]: datetime.fromisoformat(place["since"]) for place in places if place["alert"] == alert}


def _now(connection: Connection) -> datetime:
    now: datetime = connection.execute(select(schema.NOW)).scalar_one()
    return now


def _place(connection: Connection, name: str) -> tuple[datetime, str | None]:
    """The alert's row, if it has one, and the time."""
    found: str | None = connection.scalar(select(_setting.value).where(_setting.name == name))
    return _now(connection), found


def _new_place(connection: Connection, name: str) -> tuple[datetime, str | None]:
    """A row that takes everything so far for old; if another daemon made one meanwhile, that."""
    newest = connection.scalar(select(func.max(_event.id))) or 0
    row = {"name": name, "value": json.dumps({"event": newest, "begun": _now(connection).isoformat()})}
    insert_ignore(connection, schema.setting, [row])
    return _place(connection, name)


def settled_until(connection: Connection, since: int) -> int:
    """The last event up to which none is missing; one that stays away for GAP was rolled back."""
    wanted = select(_event.id, _event.at, schema.NOW.label("now")).where(_event.id > since).order_by(_event.id).limit(SCAN)
    last = since
    for row in connection.execute(wanted):
        if row.id != last + 1 and row.at > row.now - GAP:
            break
        last = row.id
    return last


def _incidents(connection: Connection, since: int, upto: int, interest: Interest, mark: str) -> Sequence[Incident]:
    states = {state: kind for kind, state in _KINDS.items() if kind in interest.kinds}
    wanted = (
        select(schema.event, _queue.url, _queue.environment, _queue.action, _queue.target)
        .join(schema.queue, _queue.id == _event.task)
        .where(_event.id > since, _event.id <= upto, _event.state.in_(sorted(states)))
        # Another alert's mark says nothing here; and what was late has begun meanwhile, or is still late.
        .where(or_(_event.state != "OVERDUE", and_(_event.reason == mark, _queue.status == "READY")))
        .order_by(_event.id)
    )
    if interest.environments:
        wanted = wanted.where(_queue.environment.in_(interest.environments))
    return [
        Incident(
            states[row.state],
            row.task,
            row.at,
            "" if row.state == "OVERDUE" else row.reason or "",
            row.url or "",
            row.environment or "",
            row.action or "",
            row.target or "",
        )
        for row in connection.execute(wanted)
    ]
