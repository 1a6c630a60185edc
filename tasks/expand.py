"""Tasks that stand for many: REPUBLISH (`republish.py`), and VERIFY of everything.

Their modules are taken in the order of their URLs, in chunks; each chunk's rows and the cursor are written in one
transaction, so that after any crash the next attempt goes on behind the last URL that has its row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar

import structlog

from database import Action, NewTask
from packageslip import CatalogueEntry
from tasks.tools import promoted_from
from tasks.work import Done, Work

log = structlog.get_logger(__name__)

Each = TypeVar("Each")

CHUNK = 500
"""Rows in one transaction: short enough for operators' own inserts to pass between."""
SHOWN = 100
"""URLs that a dry run's summary spells out."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which modules are meant; nothing named means all."""

    prefix: str = ""
    types: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()

    def takes(self, entry: CatalogueEntry) -> bool:
        """Whether this module is meant."""
        if self.types and entry.module_type not in self.types:
            return False
        if self.states and entry.state not in self.states:
            return False
        return not self.prefix or entry.url == self.prefix or entry.url.startswith(self.prefix.rstrip("/") + "/")


def verify_everything(work: Work) -> Done:
    """One VERIFY for each module that the target holds, or should hold."""
    parameters = {"repair": True} if work.parameter("repair") else {}
    record, target = work.tools.record, work.target
    recorded = [*(["/"] if record.current(target, "/") else []), *record.below(target, "/")]
    entries = chain(work.tools.target.modules(), map(CatalogueEntry, recorded))
    with work.step("load"):
        meant = modules_meant(entries, Filter(prefix_of(work)), behind=work.task.cursor or "")
    return expand(work, meant, Action.VERIFY, parameters, bound=False)


def expand(work: Work, meant: Sequence[CatalogueEntry], action: Action, parameters: Mapping[str, Any], *, bound: bool) -> Done:
    """Insert one row for each module, in chunks. `bound`: to the version that the entry has; else to what is live."""
    if work.dry_run:
        work.summary |= {"dry_run": True, "modules": len(meant), "urls": [entry.url for entry in meant[:SHOWN]]}
        return Done(f"dry run: {len(meant)} modules would get a {action} task")
    with work.step("expand", files=len(meant)):
        for chunk in _chunks(meant):
            work.tools.pause_point()
            rows = [_row(work, entry, action, parameters, bound=bound) for entry in chunk]
            work.tools.expand(work.task, rows, chunk[-1].url)
            work.count({"modules": len(rows)})
            log.info("tasks inserted", task=work.task.id, rows=len(rows), cursor=chunk[-1].url)
    return Done(
        f"{len(meant)} modules have their {action} task" + (" (the others had theirs before)" if work.task.cursor else "")
    )


def insert_each(work: Work, rows: Iterable[NewTask], things: str) -> Done:
    """Insert one row for each of some things, for the task's target and in its batch; of two for one URL, the last.

    After a crash the next attempt goes on behind the last URL that has its row.
    """
    cursor = work.task.cursor or ""
    wanted = {row.url: row for row in rows if row.url > cursor}
    meant = [_in_batch(work, wanted[url]) for url in sorted(wanted)]
    if work.dry_run:
        work.summary |= {"dry_run": True, "urls": [row.url for row in meant[:SHOWN]]}
        return Done(f"dry run: {len(meant)} {things} would get their task")
    with work.step("expand", files=len(meant)):
        for chunk in _chunks(meant):
            work.tools.pause_point()
            work.tools.expand(work.task, chunk, chunk[-1].url)
    return Done(f"{len(meant)} {things} have their task" + (" (the others had theirs before)" if cursor else ""))


def _in_batch(work: Work, row: NewTask) -> NewTask:
    task = work.task
    return replace(
        row,
        priority=task.priority,
        requested_by=task.requested_by,
        target=work.target,
        batch=task.batch or task.id,
        parent=task.id,
    )


def modules_meant(entries: Iterable[CatalogueEntry], wanted: Filter, *, behind: str = "") -> list[CatalogueEntry]:
    """Those that are wanted and have no row yet, by URL. A URL that is listed twice counts once."""
    # Only what a row needs is kept: a site may have a million modules.
    found = {
        entry.url: CatalogueEntry(entry.url, version=entry.version)
        for entry in entries
        if entry.url > behind and wanted.takes(entry)
    }
    return [found[url] for url in sorted(found)]


def prefix_of(work: Work) -> str:
    """The part of the site that is meant; empty: all of it."""
    prefix: str = work.parameter("prefix") or (work.task.url if work.task.url != "/" else "")
    return prefix


def _chunks(entries: Sequence[Each]) -> Iterator[Sequence[Each]]:
    for start in range(0, len(entries), CHUNK):
        yield entries[start : start + CHUNK]


def _row(work: Work, entry: CatalogueEntry, action: Action, parameters: Mapping[str, Any], *, bound: bool) -> NewTask:
    task = work.task
    row = NewTask(
        entry.url,
        task.environment,
        action,
        priority=task.priority,
        parameters=parameters,
        requested_by=task.requested_by,
        target=work.target,
        batch=task.batch or task.id,
        parent=task.id,
    )
    promoted = promoted_from(work.tools.environment)
    if action is not Action.PUBLISH or promoted is None:
        return row
    live = None if bound else work.tools.record.current(promoted, entry.url)
    return replace(row, version=entry.version if bound else live.version if live else None)
