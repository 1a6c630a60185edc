"""Each thing as JSON: what `--json` prints and the API answers. A field keeps its meaning; new ones may come."""

import json

from answers.remarks import remarks
from answers.words import when
from database import (
    Attempt,
    AuditRow,
    Breaker,
    Deposit,
    Event,
    Progress,
    Publication,
    Task,
    TaskView,
    Verdict,
    Waiting,
)


def task_fields(task: Task) -> dict[str, object]:
    """A task."""
    return {
        "id": task.id,
        "url": task.url,
        "environment": task.environment,
        "action": task.action,
        "state": task.state.value,
        "target": task.target,
        "version": task.version.hex() if task.version else None,
        "priority": task.priority,
        "reason": task.reason,
        "requested_by": task.requested_by,
        "note": task.note,
        "hold": task.hold,
        "cancel_requested": task.cancel_requested,
        "attempts": task.attempts,
        "parameters": dict(task.parameters),
        "batch": task.batch,
        "parent": task.parent,
        "run_after": when(task.run_after),
        "created_at": when(task.created_at),
        "started_at": when(task.started_at),
        "finished_at": when(task.finished_at),
    }


def view_fields(view: TaskView) -> dict[str, object]:
    """A task with its attempts, events, progress, held plan, and the tasks that it made."""
    return {
        "task": task_fields(view.task),
        "attempts": [attempt_fields(attempt) for attempt in view.attempts],
        "events": [event_fields(event) for event in view.events],
        "progress": progress_fields(view.progress) if view.progress else None,
        "plan": plan_document(view),
        "children": [task_fields(child) for child in view.children],
    }


def progress_fields(progress: Progress) -> dict[str, object]:
    """How far a running task is."""
    return {
        "step": progress.step,
        "files_done": progress.files_done,
        "files_total": progress.files_total,
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "at": when(progress.at),
        "seconds": progress.seconds,
    }


def attempt_fields(attempt: Attempt) -> dict[str, object]:
    """One try at a task."""
    return {
        "number": attempt.number,
        "fence": attempt.fence,
        "engine": attempt.engine,
        "host": attempt.host,
        "claimed_at": when(attempt.claimed_at),
        "started_at": when(attempt.started_at),
        "ended_at": when(attempt.ended_at),
        "outcome": attempt.outcome,
        "error": attempt.error,
        "reason": attempt.reason,
        "remarks": list(remarks(attempt)),
        "summary": dict(attempt.summary),
    }


def event_fields(event: Event) -> dict[str, object]:
    """One thing that happened to a task."""
    return {"at": when(event.at), "state": event.state, "reason": event.reason, "fence": event.fence}


def plan_document(view: TaskView) -> dict[str, object] | None:
    """The held plan as its JSON says, with the digest that an approval names."""
    return {"digest": view.plan.digest, **json.loads(view.plan.document)} if view.plan else None


def publication_fields(publication: Publication) -> dict[str, object]:
    """That a module was live on a target, from when until when."""
    return {
        "id": publication.id,
        "target": publication.target,
        "version": publication.version.hex() if publication.version else None,
        "task": publication.task,
        "serial": publication.serial,
        "since": when(publication.since),
        "until": when(publication.until),
        "title": publication.title,
    }


def breaker_fields(breaker: Breaker) -> dict[str, object]:
    """What is left alone for now, and why."""
    return {
        "name": breaker.name,
        "reason": breaker.reason,
        "since": when(breaker.since),
        "probe_at": when(breaker.probe_at),
        "failures": breaker.failures,
    }


def waiting_fields(waiting: Waiting) -> dict[str, object]:
    """What waits in an environment, counted."""
    return {
        "new": waiting.new,
        "due": waiting.due,
        "later": waiting.later,
        "on_hold": waiting.on_hold,
        "held": waiting.held,
        "oldest_due": when(waiting.oldest_due),
    }


def deposit_fields(deposit: Deposit) -> dict[str, object]:
    """What an archive has of a module."""
    return {
        "archive": deposit.archive,
        "state": deposit.state.value,
        "version": deposit.version.hex(),
        "handle": deposit.handle,
        "location": deposit.location,
        "collection": deposit.collection,
        "identifier": deposit.identifier,
        "file": deposit.file,
        "size": deposit.size,
        "md5": deposit.md5,
        "sendings": deposit.sendings,
        "prepared": when(deposit.prepared_at),
        "sent": when(deposit.sent_at),
        "confirmed": when(deposit.confirmed_at),
        "told": when(deposit.told_at),
        "task": deposit.task,
    }


def audit_fields(row: AuditRow) -> dict[str, object]:
    """One row of the audit log."""
    entry = row.entry
    return {
        "id": row.id,
        "seq": row.seq,
        "at": when(row.at),
        "kind": entry.kind,
        "who": entry.who,
        "account": row.account,
        "task": entry.task,
        "fence": entry.fence,
        "environment": entry.environment,
        "target": entry.target,
        "url": entry.url,
        "document": dict(entry.document),
        "hash": row.hash.hex() if row.hash else None,
    }


def verdict_fields(verdict: Verdict) -> dict[str, object]:
    """What a walk along the audit log came to."""
    return {
        "ok": verdict.broken is None,
        "rows": verdict.rows,
        "unsealed": verdict.unsealed,
        "head": None if verdict.broken else str(verdict.head),
        "broken": verdict.broken,
    }
