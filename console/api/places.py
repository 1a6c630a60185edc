"""Environments, targets, schedules; and what happens over time."""

from collections.abc import Mapping

import answers
from answers import (
    audit_fields,
    breaker_fields,
    other_breakers,
    overview,
    overview_fields,
    run_schedule,
    schedule_fields,
    target_fields,
    trends,
    trends_fields,
    trial_fields,
)
from answers import schedules as all_schedules
from answers import targets as all_targets
from console.api.asks import AuditAsked, Pause, Said, TrendsAsked
from console.api.calls import Made
from console.api.tasks import made, next_page
from console.asked import Asked
from console.errors import NotThere
from database import Audit, Desk, Entry, Leases, Wanted


def glance(asked: Asked) -> Mapping[str, object]:
    """What goes on in each environment."""
    return {"environments": [overview_fields(state) for state in overview(asked.database, asked.settings)]}


def pause(asked: Asked, body: Pause) -> Made:
    """No engine takes tasks of it any more."""
    name = named(asked, asked.settings.environments, "environment")
    return made(asked, Desk(asked.database).pause(name, asked.someone.name, body.note, drain=body.drain))


def resume(asked: Asked, body: Said) -> Made:
    """It works again."""
    name = named(asked, asked.settings.environments, "environment")
    return made(asked, Desk(asked.database).resume(name, asked.someone.name, body.note))


def run(asked: Asked, body: Said) -> Mapping[str, object]:
    """What waits for another try is due now."""
    name = named(asked, asked.settings.environments, "environment")
    return {"environment": name, "tasks": Desk(asked.database).hasten(name, asked.someone.name, body.note)}


def schedules(asked: Asked) -> Mapping[str, object]:
    """What comes back by the clock."""
    found = all_schedules(asked.database, asked.settings, Leases(asked.database).now())
    return {"schedules": [schedule_fields(one) for one in found]}


def run_now(asked: Asked, body: Said) -> Made:
    """A schedule's row, now."""
    name = named(asked, asked.settings.schedules, "schedule")
    return made(asked, run_schedule(asked.database, asked.settings, name, asked.someone.name, body.note))


def targets(asked: Asked) -> Mapping[str, object]:
    """Where published files live, and whether they have drifted."""
    found = all_targets(asked.database, asked.settings)
    others = other_breakers(asked.database, asked.settings)
    return {"targets": [target_fields(one) for one in found], "breakers": [breaker_fields(one) for one in others]}


def try_target(asked: Asked) -> Mapping[str, object]:
    """Tries what publishing needs there; nothing is left behind."""
    name = named(asked, asked.settings.targets, "target")
    by, trial = asked.someone.name, answers.try_target(asked.settings, name, asked.console.secrets)
    asked.console.memory.keep_trial(name, by, trial)
    Audit(asked.database).note(Entry(kind="target tested", who=by, target=name, document={"works": trial.works}))
    return {"target": name, **trial_fields(trial)}


def over_time(asked: Asked, query: TrendsAsked) -> Mapping[str, object]:
    """Throughput, durations, queue age, failures and bytes."""
    return trends_fields(trends(asked.database, Leases(asked.database).now(), query.window, query.environment))


def audit(asked: Asked, query: AuditAsked) -> Mapping[str, object]:
    """What was done, by whom and why, the newest first."""
    wanted = Wanted(query.kind, query.who, query.task, query.environment, query.target, query.url, query.since, query.until)
    page = Audit(asked.database).page(wanted, before=query.before, limit=query.limit)
    return {"rows": [audit_fields(row) for row in page.rows], "next": next_page(asked, "/audit", "before", page.before)}


def named(asked: Asked, known: Mapping[str, object], what: str) -> str:
    """What the path names, of what the configuration has. Raises NotThere."""
    name: str = asked.request.path_params["name"]
    if name not in known:
        raise NotThere(f"There is no {what} {name}. There are: {', '.join(known) or 'none'}.")
    return name
