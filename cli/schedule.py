"""`slipway schedule`: what comes back by the clock, and how to have it now."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import click

import answers
from answers import schedule_fields
from cli.completing import SCHEDULE
from cli.exits import Exit
from cli.flags import DRY_RUN, NOTE, NOW, WAIT, Way, json_or_lines
from cli.places import nearest, person
from cli.publish import follow_rows
from cli.session import Session, in_session
from cli.words import table
from config import ConfigFault, Settings
from database import rejection, scheduled_row

TITLES = ("name", "cron", "zone", "environment", "action", "url", "last fired", "next")


@click.group()
def schedule() -> None:
    """List what comes back by the clock; run it now."""


@schedule.command("list")
@json_or_lines
@in_session
def list_schedules(session: Session, as_json: bool) -> None:
    """List every schedule: what it inserts, when it fired last and when it fires next."""
    states = answers.schedules(session.database, session.settings, datetime.now(UTC))
    found = [schedule_fields(state) for state in states]
    if as_json:
        session.listing("schedules", "schedule", found)
        return
    table(session, TITLES, [[one[title.replace(" ", "_")] for title in TITLES] for one in found])
    if not found:
        session.say("the configuration has no [schedules]")


@schedule.command()
@click.argument("name", type=SCHEDULE)
@NOTE
@NOW
@WAIT
@DRY_RUN
@json_or_lines
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
