"""What an alert says: plain text for a mail, fields for a webhook. Pure.

What it is made of comes from the database; the protocols say what is read of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

LISTED = 20
"""Incidents that a message spells out. A person who reads of twenty looks at the queue for the others."""
LONGEST = 1000
"""Characters of a reason that a message repeats."""


class Incident(Protocol):
    """A task that failed, is held or overdue."""

    @property
    def kind(self) -> str: ...
    @property
    def task(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def reason(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def target(self) -> str: ...


class Outage(Protocol):
    """A target, source or notice that does not answer, or does again."""

    @property
    def name(self) -> str: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything that one message tells."""

    incidents: Sequence[Incident] = ()
    opened: Sequence[Outage] = ()
    closed: Sequence[Outage] = ()

    def __bool__(self) -> bool:
        return bool(self.incidents or self.opened or self.closed)


REMEDIES = {
    "failed": "correct what the reason says, then: slipway queue retry {task}",
    "held": "look at the plan, then let it go on or not: slipway queue approve {task}, or slipway queue cancel {task}",
    "overdue": "see whether an engine of {environment} runs and what it does; slipway why says what it waits for",
}
OPENED = "see whether it is up and can be reached from here; what waits for it goes on by itself when it answers"


def subject(digest: Digest) -> str:
    """One line: how many of what, and the first of them. Never more than a header can carry."""
    first = [incident.url for incident in digest.incidents] + [outage.name for outage in (*digest.opened, *digest.closed)]
    line = f"[slipway] {summary(digest)}: {first[0]}" + (", ..." if len(first) > 1 else "")
    return _plain(line)[:200]


def summary(digest: Digest) -> str:
    """Such as "2 tasks failed, 1 task held"."""
    counts = {kind: sum(incident.kind == kind for incident in digest.incidents) for kind in REMEDIES}
    words = [f"{count} {'task' if count == 1 else 'tasks'} {kind}" for kind, count in counts.items() if count]
    words += [f"{len(digest.opened)} not reachable"] if digest.opened else []
    words += [f"{len(digest.closed)} reachable again"] if digest.closed else []
    return ", ".join(words)


def text(digest: Digest, host: str) -> str:
    """The whole message for a person."""
    blocks = [f"{summary(digest)}.", *(_incident(incident) for incident in digest.incidents[:LISTED])]
    if len(digest.incidents) > LISTED:
        blocks.append(f"... and {len(digest.incidents) - LISTED} more: slipway queue list --all")
    blocks += _outages(digest)
    return "\n\n".join([*blocks, f"-- \nslipway on {host}\n"])


def _incident(incident: Incident) -> str:
    fields = {"task": incident.task, "environment": incident.environment}
    lines = [
        f"{incident.kind.upper()}: {incident.action} {incident.url}",
        f"  task         {incident.task}, since {_when(incident.at)}",
        f"  environment  {incident.environment}",
        f"  target       {incident.target}",
        *([f"  reason       {incident.reason[:LONGEST]}"] if incident.reason else []),
        f"  remedy       {REMEDIES[incident.kind].format(**fields)}",
        f"  look         slipway why {incident.url}",
        f"               slipway queue show {incident.task}",
    ]
    return "\n".join(_plain(line) for line in lines)


def _outages(digest: Digest) -> Iterator[str]:
    for outage in digest.opened:
        lines = [f"NOT REACHABLE: {outage.name}, since {_when(outage.since)}", f"  reason       {outage.reason[:LONGEST]}"]
        yield "\n".join(_plain(line) for line in [*lines, f"  remedy       {OPENED}", "  look         slipway doctor"])
    for outage in digest.closed:
        yield _plain(f"REACHABLE AGAIN: {outage.name}")


def content(digest: Digest, alert: str, host: str) -> dict[str, Any]:
    """The same for a program."""
    return {
        "event": "alert",
        "alert": alert,
        "host": host,
        "summary": summary(digest),
        "incidents": [_fields(incident) for incident in digest.incidents[:LISTED]],
        "not_listed": max(0, len(digest.incidents) - LISTED),
        "not_reachable": [
            {"name": outage.name, "since": _when(outage.since), "reason": outage.reason[:LONGEST]} for outage in digest.opened
        ],
        "reachable_again": [{"name": outage.name} for outage in digest.closed],
    }


def _fields(incident: Incident) -> dict[str, Any]:
    fields = {"task": incident.task, "environment": incident.environment}
    return {
        "kind": incident.kind,
        "task": incident.task,
        "at": _when(incident.at),
        "action": incident.action,
        "url": incident.url,
        "environment": incident.environment,
        "target": incident.target,
        "reason": incident.reason[:LONGEST],
        "remedy": REMEDIES[incident.kind].format(**fields),
        "look": [f"slipway why {incident.url}", f"slipway queue show {incident.task}"],
    }


def _when(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _plain(line: str) -> str:
    """One line, without what could steer a terminal or begin another header: URLs and reasons are other people's words."""
    return "".join(sign if sign.isprintable() else " " for sign in line)
