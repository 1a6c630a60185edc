"""REPUBLISH: a PUBLISH for each module of a catalogue, or of some, at once or in passes.

A pass begins when no task of the pass before is open on the environment's origin any more: each has succeeded, failed for good,
was cancelled or gave way to a newer one; one that is held for a person keeps the next pass waiting. That is the rule of
dependents, and it is kept in the same way: the row of the next pass is of the same batch, a generation later.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from database import Action, NewTask
from packageslip import CatalogueEntry
from tasks.areas import GENERATED
from tasks.errors import NotAsked
from tasks.expand import SHOWN, Filter, expand, modules_meant, prefix_of
from tasks.tools import promoted_from
from tasks.work import Done, Work

ANY_STATE = "*"
Pass = frozenset[str]
"""Module types of one pass; none: all types, where there are no passes."""


def republish(work: Work) -> Done:
    """One PUBLISH for each module of the source (or, with from = "target", that the origin holds)."""
    passes, number = _passes(work), work.parameter("pass", default=1)
    if not 1 <= number <= len(passes):
        raise NotAsked(f"there is no pass {number}: there are {len(passes)}")
    with work.step("load"):
        entries = _entries(work)
        if work.dry_run:
            return _rehearsal(work, list(entries), passes[number - 1 :])
        meant = modules_meant(entries, _filter(work, passes[number - 1]), behind=work.task.cursor or "")
    parameters = {"mode": work.parameter("mode")} if work.parameter("mode") else {}
    done = expand(work, meant, Action.PUBLISH, parameters, bound=not _from_target(work))
    if len(passes) == 1:
        return done
    named = f"pass {number} of {len(passes)}: {done.reason}"
    return Done(named, (_next(work, passes, number + 1),) if number < len(passes) else ())


def _passes(work: Work) -> list[Pass]:
    """The types of each pass. Without passes: one, of the types that the row names."""
    given = work.parameter("passes")
    if given is True:
        given = work.tools.settings.republish.passes
        if not given:
            raise NotAsked("the configuration names no passes: give [republish] passes, or let the row list them")
    if not given:
        return [_names(work.parameter("types"))]
    only = _names(work.parameter("types"))
    passes = [_names(types) & only if only else _names(types) for types in given]
    if not any(passes):
        raise NotAsked(f"no pass has any of the types {', '.join(sorted(only))}: name others, or do without passes")
    return [types for types in passes if types]


def _from_target(work: Work) -> bool:
    return bool(work.parameter("from", default="source") == "target")


def _filter(work: Work, types: Pass) -> Filter:
    """What the row asks for; states are the environment's own, unless the row names some, or what the target holds is meant."""
    states = _names(work.parameter("states"))
    if not states and not _from_target(work):
        states = frozenset(work.tools.environment.republish_states)
    return Filter(prefix_of(work), types, frozenset() if ANY_STATE in states else states)


def _entries(work: Work) -> Iterable[CatalogueEntry]:
    """The catalogue. In an environment that promotes, states are the CMS's own: what is staged carries that of its staging."""
    found = work.tools.target.modules() if _from_target(work) else work.tools.source.modules()
    # What tasks made on a target has no source, and is of its own site: one sitemap is no other's.
    entries = (entry for entry in found if entry.state != GENERATED)
    if _from_target(work):
        return entries
    environment = work.tools.environment
    if promoted_from(environment) and environment.views and _filter(work, frozenset()).states:
        states: Mapping[str, str | None] = {entry.url: entry.state for entry in work.tools.views.modules()}
        return (replace(entry, state=states.get(entry.url)) for entry in entries)
    return entries


def _rehearsal(work: Work, entries: list[CatalogueEntry], passes: list[Pass]) -> Done:
    """How many modules each pass would publish, and which."""
    found = [modules_meant(entries, _filter(work, types)) for types in passes]
    urls = [entry.url for meant in found for entry in meant]
    work.summary |= {"dry_run": True, "modules": len(urls), "urls": urls[:SHOWN]}
    words = f"dry run: {len(urls)} modules would get a PUBLISH task"
    if len(passes) == 1:
        return Done(words)
    work.summary["passes"] = [{"types": sorted(types), "modules": len(meant)} for types, meant in zip(passes, found, strict=True)]
    return Done(f"{words}, in {len(passes)} passes of {', '.join(str(len(meant)) for meant in found)}")


def _next(work: Work, passes: list[Pass], number: int) -> NewTask:
    """The row of the next pass. Its URL is only a name: no other task of its batch may have the same."""
    task = work.task
    # Said in full: the configuration may be another one by then.
    named = {"passes": [sorted(types) for types in passes], "pass": number, "prefix": prefix_of(work) or "/"}
    parameters: dict[str, Any] = {**task.parameters, **named}
    return NewTask(
        f"/republish/pass-{number}",
        task.environment,
        Action.REPUBLISH,
        priority=task.priority,
        parameters=parameters,
        requested_by=task.requested_by,
        note=task.note,
        batch=task.batch or task.id,
        generation=1,
        parent=task.id,
    )


def _names(value: str | Collection[str] | None) -> frozenset[str]:
    return frozenset([value] if isinstance(value, str) else value or ())
