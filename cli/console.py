"""`slipway console`: the web console, and the lines of its password file."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cli.exits import Exit
from cli.session import Failure, Session, in_session
from config import configure_logging, load
from console import ConsoleRefused, Role, greeting, keep_line, line_of, listen, open_console, role_of, serve
from daemon import Systemd

SHORTEST = 8
"""Characters of a password."""
ROLES = click.Choice([role.word for role in Role], case_sensitive=False)


@click.group(invoke_without_command=True)
@click.option("--bind", metavar="ADDRESS:PORT", help="Listen there instead of at console.bind.")
@click.pass_context
def console(ctx: click.Context, bind: str | None) -> None:
    """Serve the web console until SIGTERM or Ctrl-C; the link to it is printed on stderr."""
    if ctx.invoked_subcommand is None:
        serve_console(bind)
    elif bind is not None:
        raise click.UsageError("--bind is for the console itself")


@in_session
def serve_console(session: Session, bind: str | None) -> Exit:
    settings = session.settings if bind is None else load(session.options.config, flags={"console.bind": bind})
    # A service, not a question: its log is as it was configured.
    configure_logging(settings.log, sys.stderr, session.secrets)
    systemd = Systemd()
    with refusals():
        opened = open_console(settings, session.secrets, session.waiting_database)
        channel = listen(settings.console.bind)
    for line in greeting(opened, channel.getsockname()[1]):
        # Not by `say`: also with -q it is the only way in.
        click.echo(f"slipway: {line}", err=True)
    serve(opened, channel, lambda: systemd.tell("READY=1"))
    systemd.tell("STOPPING=1")
    return Exit.OK


@console.command()
@click.argument("name")
@click.option("--role", type=ROLES, default=Role.VIEWER.word, show_default=True, help="What this person may do.")
@click.option("--write", is_flag=True, help="Put the line into the file console.passwords, in place of an older one.")
@in_session
def password(session: Session, name: str, role: str, write: bool) -> None:
    """Make the line by which a person may sign in; the password is asked for, or is the first line of stdin."""
    wanted = role_of(role)
    assert wanted is not None
    try:
        line = line_of(name, wanted, asked_password(session))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not write:
        session.print(line)
        return
    path = session.settings.console.passwords
    if path is None:
        raise Failure("console.passwords is not set: there is no file to write to", Exit.CONFIGURATION)
    with refusals():
        keep_line(path, line)
    session.say(f"{name} may sign in as {wanted.word}: {path}")
    if os.geteuid() == 0 == path.stat().st_uid:
        session.say(
            f"{path} is root's: a console with an account of its own cannot read it before 'chown slipway-console {path}'"
        )


def asked_password(session: Session) -> str:
    """Never an argument: those can be seen by everybody on the machine."""
    if sys.stdin.isatty():
        found = str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        found = sys.stdin.readline().rstrip("\n")
    if len(found) < SHORTEST:
        raise Failure(f"a password has at least {SHORTEST} characters", Exit.USAGE)
    session.secrets.hide(found)
    return found


@contextmanager
def refusals() -> Iterator[None]:
    try:
        yield
    except ConsoleRefused as error:
        raise Failure(str(error), Exit.CONFIGURATION) from error
