"""Tasks that stand for many: REPUBLISH, and VERIFY of everything.

Their modules are taken in the order of their URLs, in chunks; each chunk's rows and the cursor are written in one
transaction, so that after any crash the next attempt goes on behind the last URL that has its row.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import structlog

from database import Action, NewTask
from packageslip import CatalogueEntry
from tasks.tools import promoted_from
from tasks.work import Done, Work

log = structlog.get_logger(__name__)

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


def republish(work: Work) -> Done:
    """One PUBLISH for each module of the source (or, with from = "target", that the origin holds)."""
    from_target = work.parameter("from", default="source") == "target"
    entries = work.tools.target.modules() if from_target else work.tools.source.modules()
    parameters = {"mode": work.parameter("mode")} if work.parameter("mode") else {}
    return _expand(work, entries, Action.PUBLISH, parameters, bound=not from_target)


def verify_everything(work: Work) -> Done:
    """One VERIFY for each module that the target holds, or should hold."""
    parameters = {"repair": True} if work.parameter("repair") else {}
    record, target = work.tools.record, work.target
    recorded = [*(["/"] if record.current(target, "/") else []), *record.below(target, "/")]
    entries = chain(work.tools.target.modules(), map(CatalogueEntry, recorded))
    return _expand(work, entries, Action.VERIFY, parameters, bound=False)


def _expand(work: Work, entries: Iterable[CatalogueEntry], action: Action, parameters: Mapping[str, Any], *, bound: bool) -> Done:
    with work.step("load"):
        meant = _meant(work, entries)
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


def _meant(work: Work, entries: Iterable[CatalogueEntry]) -> list[CatalogueEntry]:
    """Those that the task names and that have no row yet, by URL. A URL that is listed twice counts once."""
    prefix = work.parameter("prefix") or (work.task.url if work.task.url != "/" else "")
    wanted = Filter(prefix, _names(work.parameter("types")), _names(work.parameter("states")))
    cursor = work.task.cursor or ""
    # Only what a row needs is kept: a site may have a million modules.
    found = {
        entry.url: CatalogueEntry(entry.url, version=entry.version)
        for entry in entries
        if entry.url > cursor and wanted.takes(entry)
    }
    return [found[url] for url in sorted(found)]


def _names(value: str | Collection[str] | None) -> frozenset[str]:
    return frozenset([value] if isinstance(value, str) else value or ())


def _chunks(entries: Sequence[CatalogueEntry]) -> Iterator[Sequence[CatalogueEntry]]:
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
