"""`slipway takedown`: remove a module from everywhere, at once, and keep it away."""

from collections.abc import Sequence

import click

from answers import Down, takedown_fields, takedowns, when
from cli.completing import URL
from cli.exits import Exit
from cli.flags import NOW, WAIT, YES, json_or_lines
from cli.follow import conclude, follow, follow_here
from cli.places import module_url, person
from cli.publish import queued
from cli.session import Session, in_session
from cli.words import table
from database import Action, Desk, Intake, NewTask, State

EVERYWHERE = "*"
"""A takedown has no environment: it is about all of them."""


@click.command()
@click.argument("urls", type=URL, nargs=-1, metavar="[URL...]")
@click.option("--because", "why", metavar="TEXT", help="Why, for the record and for everybody who wants to publish it.")
@click.option("--below", is_flag=True, help="And the modules below it.")
@click.option("--lift", is_flag=True, help="Let it be published again.")
@click.option("--list", "listing", is_flag=True, help="List what is taken down; with --all, what once was, too.")
@click.option("--all", "everything", is_flag=True, help="With --list: those that were lifted, too.")
@NOW
@WAIT
@YES
@json_or_lines
@in_session
def takedown(
    session: Session,
    urls: tuple[str, ...],
    why: str | None,
    below: bool,
    lift: bool,
    listing: bool,
    everything: bool,
    now: bool,
    wait: bool,
    yes: bool,
    as_json: bool,
) -> Exit:
    """Remove modules from every target of every environment, before all other work, and let nothing publish them again.

    It ends when each target was looked at and nothing is left there; --lift allows to publish them again.
    """
    if listing:
        return list_takedowns(session, everything=everything, as_json=as_json)
    if not urls:
        raise click.UsageError("name the modules, or say --list")
    if now and wait:
        raise click.UsageError("--wait follows the daemon, --now works here: choose one")
    modules = list(dict.fromkeys(map(module_url, urls)))
    if lift and below:
        raise click.UsageError("--below is for taking down; what is lifted is lifted as it was taken down")
    if not lift:
        and_below = " and everything below" if below else ""
        session.confirm(f"Take {', '.join(modules)}{and_below} down everywhere?", yes=yes)
    parameters = {key: True for key, said in (("below", below), ("lift", lift)) if said}
    rows = [NewTask(url, EVERYWHERE, Action.TAKEDOWN, parameters=parameters, requested_by=person(), note=why) for url in modules]
    return follow_through(session, Desk(session.database).insert_many(rows), now=now, wait=wait, as_json=as_json)


def follow_through(session: Session, ids: Sequence[int], *, now: bool, wait: bool, as_json: bool) -> Exit:
    """Leave it to the daemon, wait for it, or be the engine of each environment in turn."""
    if now:
        Intake(session.database).accept(session.settings)
        for environment, tasks in by_environment(session, ids).items():
            follow_here(session, environment, tasks)
        Intake(session.database).settle_takedowns()
        # What is still open waits for a target that does not answer, or for another server's engine.
        return conclude(session, follow(session, ids, patience=0), as_json=as_json)
    if wait:
        return conclude(session, follow(session, ids), as_json=as_json)
    return queued(session, EVERYWHERE, ids, as_json=as_json)


def by_environment(session: Session, ids: Sequence[int]) -> dict[str, list[int]]:
    """The tasks that remove, for each environment whose engine they need."""
    desk = Desk(session.database)
    found: dict[str, list[int]] = {}
    for number in ids:
        for child in desk.show(number).children:
            if child.state in {State.NEW, State.READY, State.RUNNING}:
                found.setdefault(child.environment, []).append(child.id)
    return found


def list_takedowns(session: Session, *, everything: bool, as_json: bool) -> Exit:
    found = list(takedowns(session.database, lifted=everything))
    if as_json:
        session.listing("takedowns", "takedown", [takedown_fields(one) for one in found])
        return Exit.OK
    table(session, ["url", "since", "by", "lifted", "task", "why", "how far"], [row_of(one) for one in found])
    if not found:
        session.say("nothing is taken down")
    return Exit.OK


def row_of(down: Down) -> tuple[object, ...]:
    one = down.takedown
    url = f"{one.url} and below" if one.below else one.url
    return (url, when(one.since), one.by, when(one.lifted_at), one.task, one.why, down.how_far)
