"""The end of a takedown: its root ends when every target has confirmed that the module is gone, and says who did not."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, select, update

from database import schema
from database.actions import Action
from database.rows import clipped, tell
from database.takedowns import EVERYWHERE

log = structlog.get_logger(__name__)

NAMED = 5
"""Targets that a sentence names."""

_queue = schema.queue.c


def settle_takedowns(connection: Connection) -> int:
    """Look at every open root; how many have ended. Roots that somebody else looks at are left to them."""
    open_ = select(schema.queue, schema.NOW.label("now")).where(
        _queue.status == "READY", _queue.environment == EVERYWHERE, _queue.action == Action.TAKEDOWN
    )
    roots = connection.execute(open_.order_by(_queue.id).with_for_update(skip_locked=True)).all()
    return sum(_settle(connection, root, root.now) for root in roots)


def _settle(connection: Connection, root: Row[Any], now: datetime) -> bool:
    wanted = select(_queue.target, _queue.url, _queue.status, _queue.reason).where(
        _queue.batch == root.id, _queue.action == Action.TAKEDOWN, _queue.id != root.id
    )
    tasks = connection.execute(wanted.order_by(_queue.id)).all()
    waiting = [task for task in tasks if task.status in {"NEW", "READY", "RUNNING", "HELD"}]
    if waiting:
        _say(connection, root, f"{_confirmed(tasks)}. Not yet: {_named(waiting)}.")
        return False
    failed = [task for task in tasks if task.status != "SUCCEEDED"]
    lost = root.done_until.split(",") if root.done_until else []
    state = "FAILED" if failed or lost else "SUCCEEDED"
    reason = _ending(tasks, failed, lost)
    ended = {"status": state, "reason": clipped(reason), "finished_at": now}
    connection.execute(update(schema.queue).where(_queue.id == root.id).values(ended))
    tell(connection, now, [(root.id, state, reason, None)])
    log.warning("takedown ended", task=root.id, url=root.url, state=state, reason=reason)
    return True


def _say(connection: Connection, root: Row[Any], reason: str) -> None:
    """Only what is new is written: this is asked with every poll."""
    if root.reason != clipped(reason):
        connection.execute(update(schema.queue).where(_queue.id == root.id).values(reason=clipped(reason)))


def _ending(tasks: Sequence[Any], failed: Sequence[Any], lost: Sequence[str]) -> str:
    if not failed and not lost:
        return (
            f"Gone from all {len({task.target for task in tasks})} targets: {', '.join(sorted({task.target for task in tasks}))}."
        )
    parts = [f"{_confirmed(tasks)}"]
    if failed:
        parts.append(f"Not from {_named(failed)}; mend that, then insert the TAKEDOWN again")
    if lost:
        parts.append(f"The record has it live on {', '.join(lost)}, which is not configured any more: remove it there by hand")
    return ". ".join(parts) + "."


def _confirmed(tasks: Sequence[Any]) -> str:
    targets = {task.target for task in tasks}
    done = targets - {task.target for task in tasks if task.status != "SUCCEEDED"}
    return f"Taken down everywhere; {len(done)} of {len(targets)} targets have confirmed that it is gone"


def _named(tasks: Sequence[Any]) -> str:
    said = [f"{task.target} ({task.reason or str(task.status).lower()})" for task in tasks[:NAMED]]
    return ", ".join(said) + (f" and {len(tasks) - NAMED} more" if tasks[NAMED:] else "")
