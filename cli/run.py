"""`slipway run`: the daemon."""

import click

import scheduler
from cli.exits import Exit
from cli.session import Session, in_session


@click.command()
@in_session
def run(session: Session) -> Exit:
    """Run the daemon: intake, schedules, engines. The same as `python scheduler.py`; SIGTERM drains, SIGHUP reloads."""
    return Exit(scheduler.run(session.options.config))
