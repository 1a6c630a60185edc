"""Rows to values and back. Reading never fails, whatever people wrote into the request columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, case, insert, literal
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from database import schema
from database.schema import URL_COLUMN
from database.values import Attempt, Breaker, Engine, Event, NewTask, Progress, Publication, State, Task

LONGEST = 8000
"""Characters of a reason: a TEXT column has 65,535 bytes, and an error over the limit would keep a task from ending."""

TASK_COLUMNS = tuple(
    column
    for column in schema.queue.c
    if column.name not in {"absorbs", "engine", "losses_alone", "running_target", "open_cancel", "account"}
)
"""What a task is made of: the driver takes as long for each further column's name and type as for a value."""
_NEW_EVENTS = insert(schema.event)


def task_of(row: Row[Any]) -> Task:
    """A row of the queue; needs all of TASK_COLUMNS."""
    return Task(
        id=row.id,
        url=text_of(row.url),
        environment=text_of(row.environment),
        action=text_of(row.action),
        state=State(row.status),
        target=row.target,
        version=row.version,
        parameters=object_of(row.parameters),
        priority=row.priority,
        run_after=row.run_after,
        reason=row.reason,
        requested_by=row.requested_by,
        note=row.note,
        hold=bool(row.hold),
        cancel_requested=bool(row.cancel_requested),
        batch=row.batch,
        generation=row.generation,
        parent=row.parent,
        fence=row.fence,
        serial=row.serial,
        attempts=row.attempts,
        max_attempts=row.max_attempts or 0,
        losses=row.losses,
        approved_plan=row.approved_plan,
        adopt=bool(row.adopt),
        cursor=row.done_until,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def new_row(new: NewTask) -> dict[str, Any]:
    """The request columns of a new row; only those that are set, so that the operators' rights suffice."""
    row: dict[str, Any] = {
        "url": new.url,
        "environment": new.environment,
        "action": new.action and str(new.action),
        "priority": new.priority,
        "run_after": new.run_after,
        "parameters": json.dumps(dict(new.parameters)) if new.parameters else None,
        "requested_by": new.requested_by,
        "note": new.note,
        "hold": int(new.hold),
        "max_attempts": new.max_attempts,
    }
    return row


def engine_row(new: NewTask) -> dict[str, Any]:
    """A new row with the columns that only engines set."""
    return new_row(new) | {
        "url": clipped(new.url, URL_COLUMN),
        "target": new.target,
        "version": new.version,
        "batch": new.batch,
        "generation": new.generation,
        "parent": new.parent,
    }


def attempt_of(row: Row[Any]) -> Attempt:
    """A row of `attempt`."""
    return Attempt(
        task=row.task,
        number=row.number,
        fence=row.fence,
        engine=row.engine,
        host=row.host,
        claimed_at=row.claimed_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        error=row.error,
        reason=row.reason,
        summary=object_of(row.summary),
    )


def event_of(row: Row[Any]) -> Event:
    """A row of `event`."""
    return Event(id=row.id, task=row.task, at=row.at, state=row.state, reason=row.reason, fence=row.fence)


def progress_of(row: Row[Any]) -> Progress:
    """A row of `progress`."""
    return Progress(row.task, row.step, row.files_done, row.files_total, row.bytes_done, row.bytes_total, row.at, row.seconds)


def publication_of(row: Row[Any]) -> Publication:
    """A row of `publication`."""
    return Publication(
        id=row.id,
        target=row.target,
        url=row.url,
        version=row.version,
        serial=row.serial,
        task=row.task,
        since=row.since,
        until=row.until,
        module_type=row.module_type,
        title=row.title,
        module_state=row.module_state,
    )


def breaker_of(row: Row[Any]) -> Breaker:
    """A row of `target`."""
    return Breaker(
        name=row.name, open=bool(row.is_open), reason=row.reason, since=row.since, probe_at=row.probe_at, failures=row.failures
    )


def engine_of(row: Row[Any]) -> Engine:
    """A row of `engine`."""
    return Engine(row.start, row.environment, row.host, row.boot, row.pid, row.began)


def text_of(value: object) -> str:
    """What stands in a column that may hold anything; '' for NULL."""
    return "" if value is None else str(value)


def clipped(text: object, most: int = LONGEST) -> str | None:
    """What fits a column and is Unicode: an error may quote a file's name, and names can hold any bytes.

    What a person wrote need not be text either: SQLite keeps whatever it is given.
    """
    return None if text is None else str(text)[:most].encode("utf-8", "replace").decode("utf-8")


def object_of(value: object) -> Mapping[str, Any]:
    """The JSON object in a column, empty for anything else: intake has refused it, and lists still show the row."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def by_id(key: ColumnElement[Any], values: Mapping[int, object], kind: TypeEngine[Any] | None = None) -> ColumnElement[Any]:
    """CASE key WHEN id THEN value ... END: many rows, each its own value, in one UPDATE.

    The one value of all of them stands there alone, and numbers that go with the ids are the id and so much: in most batches
    most columns are so, and a CASE costs a parameter a row.
    """
    if len(different := set(values.values())) == 1:
        return literal(different.pop(), kind)
    apart = {value - id_ if isinstance(value, int) else None for id_, value in values.items()}
    if len(apart) == 1 and (shift := apart.pop()) is not None:
        return key + literal(shift)
    return case({id_: literal(value, kind) for id_, value in values.items()}, value=key)


def tell(connection: Connection, at: datetime, events: Iterable[tuple[int, str, str | None, int | None]]) -> None:
    """Append events: (task, state, reason, fence)."""
    rows = [
        {"task": task, "at": at, "state": state, "reason": clipped(reason), "fence": fence}
        for task, state, reason, fence in events
    ]
    for some in chunks(rows):
        connection.execute(_NEW_EVENTS, list(some))


def insert_ignore(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:  # noqa: ANN401 - a Table
    """Insert those whose unique keys are free; the others are there already, which is what was wanted."""
    words = "OR IGNORE" if connection.dialect.name == "sqlite" else "IGNORE"
    for some in chunks(rows):
        connection.execute(insert(table).prefix_with(words), list(some))


def chunks(rows: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """Slices of at most `size`: no statement grows past what a server takes."""
    return (rows[start : start + size] for start in range(0, len(rows), size))
