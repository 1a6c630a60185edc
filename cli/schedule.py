"""`slipway schedule`: what comes back by the clock, and how to have it now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import click

from answers import when
from cli.completing import SCHEDULE
from cli.exits import Exit
from cli.flags import AS_JSON, DRY_RUN, NOTE, NOW, WAIT, Way
from cli.places import nearest, person
from cli.publish import follow_rows
from cli.session import Session, in_session
from cli.words import table
from config import ConfigFault, ScheduleSettings, Settings, cron_trigger
from database import Intake, rejection
from scheduler import scheduled_row

TITLES = ("name", "cron", "zone", "environment", "action", "url", "last fired", "next")


@click.group()
def schedule() -> None:
    """List what comes back by the clock; run it now."""


@schedule.command("list")
@AS_JSON
@in_session
def list_schedules(session: Session, as_json: bool) -> None:
    """List every schedule: what it inserts, when it fired last and when it fires next."""
    intake, now = Intake(session.database), datetime.now(UTC)
    found = [fields(session.settings, name, intake.last_fired(name), now) for name in sorted(session.settings.schedules)]
    if as_json:
        session.document({"schedules": found})
        return
    table(session, TITLES, [[one[title.replace(" ", "_")] for title in TITLES] for one in found])
    if not found:
        session.say("the configuration has no [schedules]")


def fields(settings: Settings, name: str, last: datetime | None, now: datetime) -> dict[str, object]:
    """A schedule as JSON."""
    one = settings.schedules[name]
    coming = cron_trigger(one.cron, one.timezone).get_next_fire_time(None, now)
    return {
        "name": name,
        "cron": one.cron,
        "zone": one.timezone,
        "environment": one.environment,
        "action": action_of(settings, one),
        "url": one.url,
        "parameters": one.parameters,
        "priority": one.priority,
        "catch_up": one.catch_up,
        "last_fired": when(last),
        "next": when(coming),
    }


def action_of(settings: Settings, one: ScheduleSettings) -> str:
    """What its row asks for: the environment's own action if nothing else is said."""
    return one.action or settings.environments[one.environment].default_action


@schedule.command()
@click.argument("name", type=SCHEDULE)
@NOTE
@NOW
@WAIT
@DRY_RUN
@AS_JSON
@in_session
def run(session: Session, name: str, note: str | None, now: bool, wait: bool, dry_run: bool, as_json: bool) -> Exit:
    """Insert a schedule's row now. The clock goes on as if nothing had happened."""
    schedules = session.settings.schedules
    if name not in schedules:
        raise click.UsageError(f"there is no schedule {name}: {nearest(name, schedules)}")
    row = scheduled_row(name, schedules[name])
    parameters = {**row.parameters, "dry_run": True} if dry_run else row.parameters
    asked = replace(row, parameters=parameters, requested_by=person(), note=note or f"schedule {name}, run by hand")
    return follow_rows(session, row.environment, [asked], Way(dry_run, wait, now, as_json, note, row.priority))


def schedule_faults(settings: Settings, file: str) -> Iterator[ConfigFault]:
    """Schedules whose rows intake would reject: better said by day."""
    for name, one in settings.schedules.items():
        if reason := rejection(scheduled_row(name, one), settings):
            yield ConfigFault(file, f"schedules.{name}", f"its row would be rejected: {reason}")
