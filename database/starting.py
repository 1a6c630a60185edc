"""What a running task writes before its end: that it began, how far it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, insert, select, update

from database import schema
from database.moments import Moment
from database.updating import given_keys, have_keys
from database.values import Engine, Progress

_queue, _attempt = schema.queue.c, schema.attempt.c

BY_NUMBER = "FORCE INDEX (PRIMARY)"
"""What is locked is locked by number alone: along another index its entries would be locked first, in their order."""


def start(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Set `started_at` of tasks that are locked and this engine's."""
    if rows:
        now = rows[0].now
        connection.execute(_BEGINS, {"ids": [row.id for row in rows], "now": now})
        connection.execute(_ATTEMPT_BEGINS, given_keys((row.id, row.fence) for row in rows) | {"now": now})


def running(*columns: ColumnElement[Any]) -> Select[Any]:
    """The statement of `lock_running` for these columns, `id` and `fence` among them; the rows have `now` too."""
    wanted: Select[Any] = select(*columns, schema.NOW.label("now")).with_hint(schema.queue, BY_NUMBER, "mysql")
    mine = _queue.id.in_(bindparam("ids", expanding=True)), _queue.status == "RUNNING", _queue.engine == bindparam("engine")
    return wanted.where(*mine).order_by(_queue.id).with_for_update()


MINE = running(_queue.id, _queue.fence)
"""What is enough for those that begin."""
_BEGINS = (
    update(schema.queue)
    .where(_queue.id.in_(bindparam("ids", expanding=True)))
    .values(started_at=bindparam("now", type_=Moment()))
)
_ATTEMPT_BEGINS = (
    update(schema.attempt).where(have_keys(_attempt.task, _attempt.fence)).values(started_at=bindparam("now", type_=Moment()))
)


def lock_running(connection: Connection, engine: Engine, fences: Mapping[int, int], wanted: Select[Any]) -> Sequence[Row[Any]]:
    """Lock those of these tasks that this engine runs under these fences. `wanted`: by `running`."""
    rows = connection.execute(wanted, {"ids": list(fences), "engine": engine.start}).all() if fences else ()
    return [row for row in rows if row.fence == fences[row.id]]


def write_progress(connection: Connection, engine: Engine, values: Sequence[Progress]) -> None:
    """Replace the progress of tasks that this engine runs."""
    wanted = {progress.task: progress for progress in values}
    own = select(_queue.id, schema.NOW.label("now")).where(
        _queue.id.in_(list(wanted)), _queue.status == "RUNNING", _queue.engine == engine.start
    )
    rows = connection.execute(own.order_by(_queue.id)).all() if wanted else []
    if not rows:
        return
    connection.execute(delete(schema.progress).where(schema.progress.c.task.in_([row.id for row in rows])))
    connection.execute(insert(schema.progress), [_progress_row(wanted[row.id]) | {"at": row.now} for row in rows])


def _progress_row(progress: Progress) -> dict[str, Any]:
    return {
        "task": progress.task,
        "step": progress.step[:32],
        "files_done": progress.files_done,
        "files_total": progress.files_total,
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "seconds": progress.seconds,
    }
