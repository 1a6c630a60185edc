"""`slipway queue pause`, `resume` and `run`: a whole environment."""

import click

from answers import carried_out, many
from cli.completing import ENVIRONMENT
from cli.exits import Exit
from cli.flags import NOTE
from cli.places import environment_of, person
from cli.session import Session, in_session
from database import Desk, State

PATIENCE = 3.0
"""Seconds in which a daemon takes a row in, if there is one."""

NAME = click.argument("environment", type=ENVIRONMENT, metavar="ENV")


@click.command()
@NAME
@click.option("--drain", is_flag=True, help="Its engines leave too, each as soon as it has nothing left to do.")
@NOTE
@in_session
def pause(session: Session, environment: str, drain: bool, note: str | None) -> Exit:
    """Let no engine take tasks of an environment any more. What runs ends; takedowns go on."""
    environment_of(session, environment)
    row = Desk(session.database).pause(environment, person(), note, drain=drain)
    return done(session, row, environment)


@click.command()
@NAME
@NOTE
@in_session
def resume(session: Session, environment: str, note: str | None) -> Exit:
    """Let a paused environment work again."""
    environment_of(session, environment)
    return done(session, Desk(session.database).resume(environment, person(), note), environment)


@click.command()
@NAME
@NOTE
@in_session
def run(session: Session, environment: str, note: str | None) -> None:
    """Try again at once what waits for another try in an environment."""
    environment_of(session, environment)
    hastened = Desk(session.database).hasten(environment, person(), note)
    session.print(f"{environment}\t{many(hastened, 'task')} due now")


def done(session: Session, row: int, environment: str) -> Exit:
    """The row is carried out by whoever polls; say so where nobody does."""
    task = carried_out(session.database, row, PATIENCE)
    if task is None:
        session.print(f"{row}\t{environment}: will be done as soon as a daemon or an engine runs; none does now")
        return Exit.TEMPORARY
    session.print(f"{row}\t{task.reason}")
    return Exit.OK if task.state is State.SUCCEEDED else Exit.FAILED
