"""`slipway db`: the queue's schema, and its life after a restore."""

import click

from cli.exits import Exit
from cli.flags import AS_JSON
from cli.restored import restored
from cli.session import Session, in_session
from config import queue_url
from database import schema_status, upgrade_sql
from database import upgrade as upgrade_schema


@click.group()
def db() -> None:
    """Make or check the queue's schema; go on after a restore."""


def dialect_of(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "mysql"


def password(session: Session) -> str | None:
    secret = session.settings.queue.password
    return session.secrets.read(secret) if secret else None


@db.command()
@click.option("--sql", is_flag=True, help="Print the statements, for an administrator to run, and change nothing.")
@click.option("--since", metavar="REVISION", help="With --sql: only what came after this one, which 'slipway db check' names.")
@in_session
def upgrade(session: Session, sql: bool, since: str | None) -> None:
    """Make the schema, or bring it to this version."""
    url = queue_url(session.settings)
    if sql:
        session.print(upgrade_sql(dialect_of(url), since).rstrip("\n"))
        return
    if since is not None:
        raise click.UsageError("--since belongs to --sql; without that, the database says itself what it has")
    before = upgrade_schema(url, password(session))
    done = "nothing to do" if before.current else f"from {before.found or 'an empty database'}"
    session.say(f"the schema is {before.wanted}: {done}")


@db.command()
@AS_JSON
@in_session
def check(session: Session, as_json: bool) -> Exit:
    """Say whether the schema is the one that this version needs."""
    status = schema_status(queue_url(session.settings), password(session))
    if as_json:
        session.document({"current": status.found, "needed": status.wanted, "ok": status.current})
    else:
        session.print(f"schema {status.found or 'none'}, needed {status.wanted}")
    if not status.current:
        session.say("run 'slipway db upgrade'")
    return Exit.OK if status.current else Exit.CONFIGURATION


db.add_command(restored)
