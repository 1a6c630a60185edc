"""The poll: one statement, every part of it one look along an index, whatever the table has grown to."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, String, TextualSelect, and_, cast, exists, func, or_, select, text

from database import schema
from database.actions import Action
from database.picking import tells_of_takedown
from database.restored import NAME as RESTORED
from database.takedowns import EVERYWHERE
from database.values import Poll

_engine, _environment = schema.engine.c, schema.environment.c
SEPARATOR = "\n"


def poll(connection: Connection) -> Poll:
    """Ask once."""
    row = connection.execute(_inlined(connection.dialect)).one()
    counts = (entry.rsplit(":", 1) for entry in _entries(row.engines))
    return Poll(
        now=row.now,
        intake=bool(row.intake),
        cancel=bool(row.cancel),
        dead=bool(row.dead),
        takedowns=bool(row.takedowns),
        due=frozenset(_entries(row.due)),
        unsealed=bool(row.unsealed),
        engines={name: int(count) for name, count in counts},
        fence=int(row.fence),
        stopped=row.stopped,
    )


def news(connection: Connection) -> bool:
    """Whether rows came in."""
    return bool(connection.scalar(_NEWS))


def statement() -> Select[Any]:
    """EXISTS for each fact, never a count of tasks."""
    return select(
        schema.NOW.label("now"),
        _came_in().label("intake"),
        _any("k_cancel", "open_cancel", 1).label("cancel"),
        _open_takedowns().label("takedowns"),
        exists().where(_engine.state == "UP", _engine.lease_until <= schema.NOW).label("dead"),
        exists().where(schema.audit.c.seq.is_(None)).label("unsealed"),
        _due().label("due"),
        _engines().label("engines"),
        select(schema.counter.c.value).where(schema.counter.c.name == "fence").scalar_subquery().label("fence"),
        select(schema.setting.c.value).where(schema.setting.c.name == RESTORED).scalar_subquery().label("stopped"),
    )


def _any(index: str, column: str, value: object) -> Any:  # noqa: ANN401 - an EXISTS
    task = schema.queue.alias()
    return select(1).select_from(task).with_hint(task, f"FORCE INDEX ({index})", "mysql").where(task.c[column] == value).exists()


def _came_in() -> Any:  # noqa: ANN401 - an EXISTS
    return _any("k_due", "status", "NEW")


def _open_takedowns() -> Any:  # noqa: ANN401 - an EXISTS
    task = schema.queue.alias()
    hinted = select(1).select_from(task).with_hint(task, "FORCE INDEX (k_due)", "mysql")
    return hinted.where(task.c.status == "READY", task.c.environment == EVERYWHERE).exists()


def _due() -> Any:  # noqa: ANN401 - a scalar subquery
    task = schema.queue.alias("t")
    due = and_(
        task.c.status == "READY", task.c.environment == _environment.name, task.c.hold == 0, task.c.run_after <= schema.NOW
    )
    found = (
        select(1)
        .select_from(task)
        .with_hint(task, "FORCE INDEX (k_due)", "mysql")
        .where(due)
        .correlate(schema.environment)
        .exists()
    )
    names = func.aggregate_strings(_environment.name, SEPARATOR)
    return select(names).where(found, or_(_environment.paused == 0, _removing(), _telling())).scalar_subquery()


def _removing() -> Any:  # noqa: ANN401 - an EXISTS
    """A takedown waits in the environment, which no pause holds up: found by its root, of which there is nearly always none."""
    root, task = schema.queue.alias("roots"), schema.queue.alias("removing")
    return (
        select(1)
        .select_from(root.join(task, task.c.batch == root.c.id))
        .with_hint(root, "FORCE INDEX (k_due)", "mysql")
        .with_hint(task, "FORCE INDEX (k_batch)", "mysql")
        .where(root.c.status == "READY", root.c.environment == EVERYWHERE)
        .where(task.c.status == "READY", task.c.environment == _environment.name, task.c.action == Action.TAKEDOWN)
        .correlate(schema.environment)
        .exists()
    )


def _telling() -> Any:  # noqa: ANN401 - an EXISTS
    """A cache is to hear of a takedown, which no pause holds up either. Of a paused environment's words there are few."""
    task = schema.queue.alias("telling")
    return (
        select(1)
        .select_from(task)
        .with_hint(task, "FORCE INDEX (k_pick)", "mysql")
        .where(task.c.status == "READY", task.c.environment == _environment.name, task.c.hold == 0)
        .where(task.c.run_after <= schema.NOW, task.c.cancel_requested == 0, tells_of_takedown(task))
        .correlate(schema.environment)
        .exists()
    )


def _engines() -> Any:  # noqa: ANN401 - a scalar subquery
    up = (
        select(_engine.environment, func.count().label("n")).where(_engine.state == "UP").group_by(_engine.environment).subquery()
    )
    return select(func.aggregate_strings(up.c.environment + ":" + cast(up.c.n, String(20)), SEPARATOR)).scalar_subquery()


@lru_cache
def _inlined(dialect: Dialect) -> TextualSelect:
    """Made once, values and all, none of which changes: to put it together takes longer than the server needs for the answer."""
    made = statement()
    words = made.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return text(str(words).replace(":", "\\:")).columns(*made.selected_columns)


def _entries(joined: str | None) -> list[str]:
    return joined.split(SEPARATOR) if joined else []


_NEWS = select(_came_in())
