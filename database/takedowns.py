"""Takedowns: a module goes from every target, and nothing publishes it again before a person lifts that.

The TAKEDOWN row of a person is the root: it waits, while one task for each target, all urgent, removes the module there and
looks whether it is gone. Whoever polls ends the root when all of them have (`settling_takedowns.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, update

from config import GroupTarget, S3Target, Settings
from database import schema
from database.actions import RESTORING, Action
from database.auditing import Entry, note
from database.judge import TakedownWish
from database.rows import clipped, tell
from database.values import Takedown

log = structlog.get_logger(__name__)

EVERYWHERE = "*"
"""The environment of a root: no engine has it, and no configuration."""
SOON = timedelta(minutes=1)
"""How far ahead the clock of whoever wrote `run_after` may be."""
URGENT = -(2**31)
"""The priority of what removes: nothing comes before it."""

_queue, _takedown, _publication = schema.queue.c, schema.takedown.c, schema.publication.c
_IN_FORCE = select(schema.takedown).where(_takedown.lifted_at.is_(None)).order_by(_takedown.id)
_ANY = select(_takedown.id).where(_takedown.lifted_at.is_(None)).limit(1)
"""Nearly always there is none, and to hear so costs less without the names and types of nine columns."""
_STOPPED = sorted({*RESTORING, Action.UNPUBLISH, Action.VERIFY})
"""What waits for the module or works on it is stopped; notices go on, for caches are to be purged."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a module may lie: targets, each with the environment whose engine removes it. `lost`: not configured any more."""

    reached: Sequence[tuple[str, str]]
    lost: tuple[str, ...] = ()


def in_force(connection: Connection) -> list[Takedown]:
    """Every takedown that nobody lifted."""
    if connection.scalar(_ANY) is None:
        return []
    return [takedown_of(row) for row in connection.execute(_IN_FORCE)]


def takedown_of(row: Row[Any]) -> Takedown:
    """A row of `takedown`."""
    return Takedown(
        row.id, row.url, bool(row.below), row.task, row.since, row.requested_by, row.why, row.lifted_at, row.lifted_by
    )


def carry_out(connection: Connection, row: Row[Any], wish: TakedownWish, settings: Settings, now: datetime) -> str | None:
    """Do what a TAKEDOWN row asks; the reason why not, if it cannot be done."""
    if wish.lift:
        return _lift(connection, row, wish, now)
    if row.hold or (row.run_after is not None and row.run_after > now + SOON):
        return "A TAKEDOWN acts at once: leave hold and run_after as they are. For later, insert an UNPUBLISH with run_after."
    wish = _note(connection, row, wish, now)
    _supersede_older(connection, row, wish, now)
    stopped = _stop(connection, row, wish, settings, now)
    _make_mirrors_anew(connection, row, wish, settings, now)
    places = _places(connection, wish, settings)
    _begin(connection, row, wish, places, now)
    _audit(connection, row, wish, "taken down", now)
    log.warning(
        "takedown begun", task=row.id, url=wish.url, below=wish.below, targets=sorted(dict(places.reached)), stopped=stopped
    )
    return None


def _audit(connection: Connection, row: Row[Any], wish: TakedownWish, kind: str, now: datetime) -> None:
    document = {"below": wish.below, "why": row.note, "row": row.id, "account": row.account}
    note(connection, [Entry(kind=kind, who=row.requested_by, task=row.id, url=wish.url, document=document)], now)


def _note(connection: Connection, row: Row[Any], wish: TakedownWish, now: datetime) -> TakedownWish:
    """The block. It is as wide as the one that was there: so is the wish from here on."""
    same = select(_takedown.id, _takedown.below).where(_takedown.url == wish.url, _takedown.lifted_at.is_(None))
    there = connection.execute(same.limit(1)).one_or_none()
    if there is None:
        values = {"url": wish.url, "below": int(wish.below), "task": row.id, "since": now}
        values |= {"requested_by": clipped(row.requested_by, 255), "why": clipped(row.note)}
        connection.execute(insert(schema.takedown).values(values))
        return wish
    wider = bool(there.below) or wish.below
    connection.execute(update(schema.takedown).where(_takedown.id == there.id).values(task=row.id, below=int(wider)))
    return replace(wish, below=wider)


def _supersede_older(connection: Connection, row: Row[Any], wish: TakedownWish, now: datetime) -> None:
    """The new row asks for the same, everywhere: of the older ones only what is at work goes on."""
    _end_roots(connection, wish.url, "SUPERSEDED", f"Task {row.id} takes the same module down.", now)


def _end_roots(connection: Connection, url: str, state: str, reason: str, now: datetime) -> None:
    """End the takedowns of a module that are open, and all that waits for them."""
    open_ = select(_queue.id).with_hint(schema.queue, "FORCE INDEX (k_due)", "mysql")
    open_ = open_.where(_queue.status == "READY", _queue.environment == EVERYWHERE, _queue.url == url)
    roots = connection.scalars(open_.where(_queue.action == Action.TAKEDOWN)).all()
    if roots:
        waiting = [*roots, *_open_children(connection, roots)]
        locked = _locked(connection, waiting, ("READY", "HELD"))
        _end(connection, [each.id for each in locked], state, reason, now)
        stop_children(connection, roots)


def stop_children(connection: Connection, roots: Sequence[int]) -> None:
    """Ask to cancel what there is of these takedowns: nobody looks for it once their root has ended."""
    if ids := _open_children(connection, roots) if roots else ():
        connection.execute(update(schema.queue).where(_queue.id.in_(ids)).values(cancel_requested=1))


def _open_children(connection: Connection, roots: Sequence[int]) -> Sequence[int]:
    wanted = select(_queue.id).where(
        _queue.batch.in_(roots), _queue.action == Action.TAKEDOWN, _queue.status.in_(("NEW", "READY", "HELD", "RUNNING"))
    )
    return connection.scalars(wanted.where(_queue.environment != EVERYWHERE).order_by(_queue.id)).all()


def _locked(connection: Connection, ids: Sequence[int], states: Sequence[str]) -> Sequence[Any]:
    """The rows by their ids, in their order: a lock along any other index waits for rows of everybody else."""
    wanted = select(_queue.id, _queue.status, _queue.target).where(_queue.id.in_(ids), _queue.status.in_(states))
    return connection.execute(wanted.order_by(_queue.id).with_for_update()).all() if ids else ()


def _stop(connection: Connection, row: Row[Any], wish: TakedownWish, settings: Settings, now: datetime) -> int:
    """Cancel what waits for the module, and take it out of the hands of whoever works on it; how many tasks.

    A target's own fence stops an engine that goes on, as it stops one whose lease is over. Where there is none, the engine is
    asked to stop and waited for.
    """
    states = ("READY", "HELD", "RUNNING")
    found = select(_queue.id).where(covered(_queue.url, wish), _queue.action.in_(_STOPPED), _queue.status.in_(states))
    rows = _locked(connection, connection.scalars(found).all(), states)
    waited_for = [each.id for each in rows if each.status == "RUNNING" and not _fences(settings, each.target)]
    ended = [each.id for each in rows if each.id not in waited_for]
    reason = f"Cancelled: {wish.url} is taken down (task {row.id})."
    _end(connection, ended, "CANCELLED", reason, now)
    running = [each.id for each in rows if each.status == "RUNNING" and each.id in ended]
    attempt = schema.attempt.c
    if running:
        over = and_(attempt.task.in_(running), attempt.ended_at.is_(None))
        connection.execute(update(schema.attempt).where(over).values(ended_at=now, outcome="CANCELLED", reason=reason))
        connection.execute(schema.progress.delete().where(schema.progress.c.task.in_(running)))
        # As of a lost engine: until its engine knows, it may still take over what was sealed before.
        connection.execute(schema.seal.delete().where(covered(schema.seal.c.url, wish)))
    if asked := [*running, *waited_for]:
        # Its engine learns of it with the next heartbeat; a row that was ended keeps its engine's name for that.
        connection.execute(update(schema.queue).where(_queue.id.in_(asked)).values(cancel_requested=1))
    return len(rows)


def _fences(settings: Settings, target: str | None) -> bool:
    """Whether the target itself stops an engine whose module another one has taken over."""
    kind = settings.targets.get(target or "")
    if isinstance(kind, GroupTarget):
        return all(_fences(settings, member) for member in kind.members)
    return not (isinstance(kind, S3Target) and not kind.conditional_writes)


def _make_mirrors_anew(connection: Connection, row: Row[Any], wish: TakedownWish, settings: Settings, now: datetime) -> None:
    """A mirror that waits for a person, or that one approved, was made while the module was there."""
    mirrors = [(each.origin, each.snapshot.url) for each in settings.environments.values() if each.snapshot]
    for target, url in mirrors:
        mine = and_(_queue.target == target, _queue.url == url, _queue.action == Action.SNAPSHOT)
        held = select(_queue.id).where(mine, _queue.status == "HELD").order_by(_queue.id).with_for_update()
        reason = f"Cancelled: this mirror was made before {wish.url} was taken down (task {row.id}); make it again."
        _end(connection, connection.scalars(held).all(), "CANCELLED", reason, now)
        connection.execute(
            update(schema.queue).where(mine, _queue.status.in_(("READY", "RUNNING"))).values(approved_plan=None, adopt=0)
        )


def _places(connection: Connection, wish: TakedownWish, settings: Settings) -> Places:
    """Every target of every environment, and wherever the record knows of the module."""
    environments = settings.environments.items()
    # An origin of two environments has two publics, each with caches of its own.
    reached = [(environment.origin, name) for name, environment in environments]
    for name, environment in environments:
        exports = [environment.exports.target] if environment.exports else []
        for target in [*(area.target for area in environment.holding_areas), *exports]:
            if target not in dict(reached):
                reached.append((target, name))
    known = select(_publication.target, _publication.until.is_(None).label("live")).where(covered(_publication.url, wish))
    found = {row.target: False for row in connection.execute(known.distinct())}
    found |= {row.target: True for row in connection.execute(known.where(_publication.until.is_(None)).distinct())}
    elsewhere = sorted((found.keys() & settings.targets.keys()) - dict(reached).keys())
    reached += [(target, next(iter(settings.environments))) for target in elsewhere if environments]
    return Places(
        tuple(reached), tuple(sorted(target for target, live in found.items() if live and target not in settings.targets))
    )


def _begin(connection: Connection, row: Row[Any], wish: TakedownWish, places: Places, now: datetime) -> None:
    same = {
        "url": wish.url,
        "action": str(Action.TAKEDOWN),
        "priority": URGENT,
        "requested_by": row.requested_by,
        "note": row.note,
        "status": "READY",
        "batch": row.id,
        "run_after": now,
        "absorbs": 0,
        "max_attempts": row.max_attempts if isinstance(row.max_attempts, int) else 0,
    }
    ids = []
    for target, environment in places.reached:
        parameters = '{"below": true}' if wish.below else None
        own = {"environment": environment, "target": target, "parent": row.id, "parameters": parameters}
        key = connection.execute(insert(schema.queue).values(same | own)).inserted_primary_key
        ids.append(int(key[0]) if key else 0)
    lost = f" The record has it live on {', '.join(places.lost)}, which is not configured any more." if places.lost else ""
    reason = f"Taken down everywhere; 0 of {len(dict(places.reached))} targets have confirmed that it is gone.{lost}"
    # Not of the batch itself: what follows from one target, its dependents, does not wait for the others.
    root = {"environment": EVERYWHERE, "batch": None, "reason": reason, "done_until": ",".join(places.lost) or None}
    connection.execute(update(schema.queue).where(_queue.id == row.id).values(same | root))
    tell(connection, now, [(row.id, "READY", reason, None), *((id_, "READY", None, None) for id_ in ids)])


def _lift(connection: Connection, row: Row[Any], wish: TakedownWish, now: datetime) -> str | None:
    same = and_(_takedown.url == wish.url, _takedown.lifted_at.is_(None))
    there = connection.execute(select(_takedown.id).where(same)).all()
    if not there:
        return f"{wish.url} is not taken down; 'slipway takedown --list' shows what is."
    connection.execute(update(schema.takedown).where(same).values(lifted_at=now, lifted_by=clipped(row.requested_by, 255)))
    unconfirmed = f"The takedown was lifted (task {row.id}) before this target had confirmed it."
    _end_roots(connection, wish.url, "CANCELLED", unconfirmed, now)
    reason = "Lifted: it can be published again. What was removed comes back with the next PUBLISH, or by a ROLLBACK."
    ended = {"status": "SUCCEEDED", "environment": EVERYWHERE, "url": wish.url, "reason": reason, "finished_at": now}
    connection.execute(update(schema.queue).where(_queue.id == row.id).values(ended))
    tell(connection, now, [(row.id, "SUCCEEDED", reason, None)])
    _audit(connection, row, wish, "lifted", now)
    return None


def _end(connection: Connection, ids: Sequence[int], state: str, reason: str, now: datetime) -> None:
    if ids:
        ended = {"status": state, "reason": reason, "finished_at": now}
        connection.execute(update(schema.queue).where(_queue.id.in_(ids)).values(ended))
        tell(connection, now, ((id_, state, reason, None) for id_ in ids))


def covered(url: ColumnElement[Any], wish: TakedownWish) -> ColumnElement[bool]:
    """Whether the wish is about this URL."""
    if not wish.below:
        return url == wish.url
    start = wish.url.rstrip("/") + "/"
    # "0" follows "/" in every collation used here: a range along the index.
    return or_(url == wish.url, and_(url > start, url < start[:-1] + "0"))


def covering(takedowns: Iterable[Takedown], url: str) -> Takedown | None:
    """The first takedown that stands against this URL."""
    return next((each for each in takedowns if each.covers(url)), None)


def brought_back(connection: Connection, urls: Mapping[int, str]) -> dict[int, str]:
    """Of tasks that would bring these modules to a target, those whose module is taken down, each with the sentence."""
    takedowns = in_force(connection) if urls else []
    found = {id_: (covering(takedowns, url), url) for id_, url in urls.items()} if takedowns else {}
    return {id_: f"{each.sentence(url)}." for id_, (each, url) in found.items() if each is not None}


def rootless(connection: Connection, roots: Mapping[int, int | None]) -> dict[int, str]:
    """Of tasks that remove, those whose takedown has ended meanwhile, each with the sentence: no engine would look for them."""
    wanted = select(_queue.id).where(_queue.id.in_({root for root in roots.values() if root}), _queue.status == "READY")
    there = set(connection.scalars(wanted)) if roots else set()
    return {
        id_: f"Cancelled: the takedown that it was part of (task {root}) has ended."
        for id_, root in roots.items()
        if root not in there
    }
