"""The verbs that add tasks: publish, unpublish, republish, verify."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from answers import many, task_fields
from cli.completing import ENVIRONMENT, URL
from cli.exits import Exit
from cli.flags import TO, YES, Way, following
from cli.follow import conclude, follow_all, follow_here
from cli.places import environment_of, module_url, person, source_of
from cli.session import Failure, Session, in_session
from cli.words import TASK_TITLES, table, task_row
from database import Action, Desk, Intake, NewTask


@click.command()
@click.argument("urls", type=URL, nargs=-1, required=True, metavar="URL...")
@TO
@click.option("--full", is_flag=True, help="Put every file again, also those that are the same.")
@following
@in_session
def publish(session: Session, urls: tuple[str, ...], environment: str, full: bool, way: Way) -> Exit:
    """Publish modules: make an environment hold exactly what their slips say."""
    return ask(session, environment, urls, Action.PUBLISH, {"mode": "full"} if full else {}, way)


@click.command()
@click.argument("urls", type=URL, nargs=-1, required=True, metavar="URL...")
@click.option("--from", "environment", type=ENVIRONMENT, metavar="ENV", required=True, help="The environment.")
@YES
@following
@in_session
def unpublish(session: Session, urls: tuple[str, ...], environment: str, yes: bool, way: Way) -> Exit:
    """Remove modules: the files that their slips list, at the origin and in the holding areas."""
    environment_of(session, environment)
    if not way.dry_run:
        session.confirm(f"Remove {', '.join(urls)} from {environment}?", yes=yes)
    return ask(session, environment, urls, Action.UNPUBLISH, {}, way)


@click.command()
@TO
@click.option("--type", "types", multiple=True, help="Only modules of this type; may be repeated.")
@click.option("--state", "states", multiple=True, help="Only modules in this state of their workflow; may be repeated.")
@click.option("--prefix", metavar="URL", help="Only this module and what lies below it.")
@click.option(
    "--from", "origin", type=click.Choice(["source", "target"]), default="source", show_default=True, help="Whose catalogue."
)
@click.option("--full", is_flag=True, help="Put every file again, also those that are the same.")
@click.option("--passes", is_flag=True, help="In the passes of [republish]: pages that list others come after those.")
@click.option(
    "--check", is_flag=True, help="Only list the modules that somebody works on at the CMS; ends with 1 if there are any."
)
@following
@in_session
def republish(
    session: Session,
    environment: str,
    types: tuple[str, ...],
    states: tuple[str, ...],
    prefix: str | None,
    origin: str,
    full: bool,
    passes: bool,
    check: bool,
    way: Way,
) -> Exit:
    """Publish many modules as one batch: all that the source's (or the target's) catalogue lists, or some of them.

    States that are not named are the environment's republish_states; --state '*' takes every state.
    """
    if check:
        return list_locked(session, environment, as_json=way.as_json)
    if passes and not session.settings.republish.passes:
        raise Failure("no passes are configured: name the types of each in [republish] passes", Exit.CONFIGURATION)
    chosen: dict[str, Any] = {
        "passes": [list(types) for types in session.settings.republish.passes] if passes else None,
        "from": origin,
        "types": list(types),
        "states": list(states),
        "prefix": prefix and module_url(prefix),
        "mode": "full" if full else None,
    }
    return ask(session, environment, ["/"], Action.REPUBLISH, {key: value for key, value in chosen.items() if value}, way)


def list_locked(session: Session, environment: str, *, as_json: bool) -> Exit:
    """The modules whose state at the CMS says that somebody works on them: what is published now may be half of a change."""
    settings, states = environment_of(session, environment), session.settings.republish.locked_states
    source = source_of(session, settings.views or settings.source)
    locked = [entry for entry in source.modules() if entry.state in states]
    if as_json:
        modules = [{"url": entry.url, "type": entry.module_type, "state": entry.state} for entry in locked]
        session.listing("locked", "module", modules, environment=environment, source=source.name)
    else:
        table(session, ["url", "type", "state"], [(entry.url, entry.module_type, entry.state) for entry in locked])
    session.say(f"{source.name}: {many(len(locked), 'module')} in one of the states {', '.join(states)}")
    return Exit.FAILED if locked else Exit.OK


@click.command()
@click.argument("environment", type=ENVIRONMENT, metavar="ENV")
@click.argument("url", type=URL, required=False)
@click.option("--repair", is_flag=True, help="Put back what differs.")
@following
@in_session
def verify(session: Session, environment: str, url: str | None, repair: bool, way: Way) -> Exit:
    """Compare an environment's origin with its own slips: one module, or all of them."""
    parameters = {"repair": True} if repair else {}
    return ask(session, environment, [url or "/"], Action.VERIFY, parameters if url else {**parameters, "all": True}, way)


def ask(session: Session, environment: str, urls: Sequence[str], action: Action, parameters: Mapping[str, Any], way: Way) -> Exit:
    """Insert one row for each URL, then leave, wait, or do the work here."""
    environment_of(session, environment)
    wanted = {**parameters, "dry_run": True} if way.dry_run else dict(parameters)
    rows = [
        NewTask(url, environment, action, way.priority, parameters=wanted, requested_by=person(), note=way.note)
        for url in dict.fromkeys(map(module_url, urls))
    ]
    return follow_rows(session, environment, rows, way)


def follow_rows(session: Session, environment: str, rows: Sequence[NewTask], way: Way) -> Exit:
    """Insert rows for one environment, then leave, wait, or do the work here."""
    ids = list(Desk(session.database).insert_many(rows))
    if way.now:
        return conclude(session, follow_here(session, environment, ids), as_json=way.as_json)
    if not way.wait:
        return queued(session, environment, ids, as_json=way.as_json)
    hint_if_alone(session, environment)
    return conclude(session, follow_all(session, ids), as_json=way.as_json)


def queued(session: Session, environment: str, ids: Sequence[int], *, as_json: bool) -> Exit:
    """Say what was added."""
    desk = Desk(session.database)
    tasks = [desk.show(number).task for number in ids]
    if as_json:
        session.listing("tasks", "task", [task_fields(task) for task in tasks])
    else:
        table(session, TASK_TITLES, [task_row(task) for task in tasks])
    hint_if_alone(session, environment)
    return Exit.OK


def hint_if_alone(session: Session, environment: str) -> None:
    """Tell somebody who would wait for ever that nobody works here."""
    settings = session.settings.environments.get(environment)
    if settings and not Intake(session.database).poll().engines.get(environment):
        by_hand = f"none starts by itself; 'python -P -m engines {environment}' starts one, or --now"
        by_itself = "a daemon starts one by itself; without one, 'slipway run' or --now"
        session.say(f"no engine of {environment} is at work now: {by_hand if settings.start == 'manual' else by_itself}")
