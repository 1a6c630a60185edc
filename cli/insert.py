"""`slipway queue insert`: a row for any action, for those that have no verb of their own."""

import json
from collections.abc import Sequence
from typing import Any

import click

from cli.completing import URL
from cli.exits import Exit
from cli.flags import TO, Way, following
from cli.places import environment_of, module_url, person
from cli.publish import follow_rows
from cli.session import Failure, Session, in_session
from database import Action, NewTask, rejection

ACTIONS = click.Choice([action.value for action in Action], case_sensitive=False)


@click.command()
@click.argument("urls", type=URL, nargs=-1, required=True, metavar="URL...")
@TO
@click.option("--action", type=ACTIONS, help="What to do; if not said, what the environment is for.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A parameter of the action; may be repeated.")
@following
@in_session
def insert(
    session: Session, urls: tuple[str, ...], environment: str, action: str | None, settings: tuple[str, ...], way: Way
) -> Exit:
    """Insert a row for each URL, for any action: SNAPSHOT and RETIRE, say."""
    configured = environment_of(session, environment)
    wanted = parameters_of(settings) | ({"dry_run": True} if way.dry_run else {})
    asked = action or configured.default_action
    rows = [
        NewTask(url, environment, asked.upper(), way.priority, parameters=wanted, requested_by=person(), note=way.note)
        for url in dict.fromkeys(map(module_url, urls))
    ]
    for row in rows:
        if reason := rejection(row, session.settings):
            raise Failure(reason, Exit.USAGE)
    return follow_rows(session, environment, rows, way)


def parameters_of(settings: Sequence[str]) -> dict[str, Any]:
    """`days=30` and `all=true` are what JSON says; everything else is text."""
    found: dict[str, Any] = {}
    for setting in settings:
        key, given, value = setting.partition("=")
        if not key or not given:
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--set")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found
