"""Tasks that no engine will ever take: those of an environment that left the configuration. They end, with the reason."""

from collections.abc import Collection
from datetime import timedelta

import structlog
from sqlalchemy import Connection, or_, select, update

from database import schema
from database.rows import by_id, tell
from database.takedowns import EVERYWHERE

log = structlog.get_logger(__name__)

PATIENCE = timedelta(days=1)
"""How long such a task was due, and no engine of its environment at work, before it ends: another server may know it still."""
AT_ONCE = 500
"""Tasks ended in one transaction."""

_queue, _engine = schema.queue.c, schema.engine.c


def end_stranded(connection: Connection, known: Collection[str]) -> int:
    """End tasks of environments that are not `known`; how many. A held one too: its approval would be rejected."""
    before = connection.execute(select(schema.NOW)).scalar_one() - PATIENCE
    at_work = select(_engine.environment).where(or_(_engine.state == "UP", _engine.ended_at > before)).distinct()
    open_ = select(_queue.environment).where(_queue.status.in_(("READY", "HELD"))).distinct()
    lost = {*connection.scalars(open_)} - {*known, EVERYWHERE, *connection.scalars(at_work)}
    if not lost:
        return 0
    wanted = select(_queue.id, _queue.environment, schema.NOW.label("now")).where(
        _queue.status.in_(("READY", "HELD")), _queue.environment.in_(sorted(lost)), _queue.run_after <= before
    )
    rows = connection.execute(wanted.order_by(_queue.id).limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    if not rows:
        return 0
    reasons = {
        row.id: f"The environment {row.environment} is not configured any more, and no engine of it was at work for a day; "
        "insert the task again when there is one."
        for row in rows
    }
    ended = {"status": "CANCELLED", "reason": by_id(_queue.id, reasons), "finished_at": rows[0].now}
    connection.execute(update(schema.queue).where(_queue.id.in_(list(reasons))).values(ended))
    tell(connection, rows[0].now, ((id_, "CANCELLED", reason, None) for id_, reason in reasons.items()))
    log.warning("tasks ended whose environment is gone", tasks=list(reasons), environments=sorted(lost))
    return len(rows)
