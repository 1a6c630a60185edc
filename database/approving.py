"""APPROVE: a HELD task goes on, with the very plan that a person has seen."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from database import schema
from database.auditing import Entry, note
from database.judge import Approval
from database.rows import tell

_queue, _plan = schema.queue.c, schema.plan.c


def approve(connection: Connection, row: Row[Any], approval: Approval, now: datetime) -> str | None:
    """Let the task go on and end the APPROVE row; or the reason why not."""
    held = connection.execute(select(schema.queue).where(_queue.id == approval.task).with_for_update()).one_or_none()
    if held is None:
        return f"There is no task {approval.task} to approve. 'slipway queue list --state HELD' shows what waits."
    plan = connection.scalar(select(_plan.digest).where(_plan.task == approval.task))
    if reason := _refusal(held, plan, row, approval):
        return reason
    connection.execute(
        update(schema.queue)
        .where(_queue.id == approval.task, _queue.status == "HELD")
        .values(status="READY", approved_plan=approval.plan, adopt=int(approval.adopt), run_after=now, reason=None)
    )
    ended = {"status": "SUCCEEDED", "reason": f"Task {approval.task} goes on.", "target": held.target, "finished_at": now}
    connection.execute(update(schema.queue).where(_queue.id == row.id).values(ended))
    by = f" by {row.requested_by}" if row.requested_by else ""
    adopt = " and to overwrite strangers' files" if approval.adopt else ""
    note(connection, [_entry(row, held, approval)], now)
    tell(
        connection,
        now,
        [
            (approval.task, "READY", f"Plan {approval.plan} was approved{adopt}{by} (task {row.id}).", None),
            (row.id, "SUCCEEDED", f"Task {approval.task} goes on.", None),
        ],
    )
    return None


def _entry(row: Row[Any], held: Row[Any], approval: Approval) -> Entry:
    said = {"plan": approval.plan, "adopt": approval.adopt, "why": row.note, "row": row.id, "account": row.account}
    return Entry(
        kind="approved",
        who=row.requested_by,
        task=approval.task,
        environment=held.environment,
        target=held.target,
        url=held.url,
        document=said | {"held_for": held.reason},
    )


def _refusal(held: Row[Any], plan: str | None, row: Row[Any], approval: Approval) -> str | None:
    task = f"Task {approval.task}"
    if held.status != "HELD":
        return f"{task} is {held.status}; only a HELD task can be approved."
    if (held.url, held.environment) != (row.url, row.environment):
        return f"{task} is for {held.url} in {held.environment}; the APPROVE row must name the same url and environment."
    if plan != approval.plan:
        return f"{task} waits with another plan, {plan}. Look at it with 'slipway queue show {approval.task}', then approve that."
    return None
