"""`slipway store`: the content store."""

import time

import click

from answers import many, size
from cli.flags import AS_JSON
from cli.places import store_of
from cli.session import Session, in_session
from database import Record

DAY = 86_400


@click.group()
def store() -> None:
    """Look after the content store."""


@store.command()
@click.option("--older-than", type=float, default=24, show_default=True, metavar="HOURS", help="Leave what was touched since.")
@AS_JSON
@in_session
def gc(session: Session, older_than: float, as_json: bool) -> None:
    """Delete files that no kept publication and no unfinished task needs. What is missing later is fetched again."""
    keep = frozenset(Record(session.database).keep(session.settings.store.keep_publications))
    collected = store_of(session.settings).collect(keep.__contains__, older_than=older_than * 3600, now=time.time())
    if as_json:
        session.document({"files": collected.files, "bytes": collected.bytes})
    else:
        session.print(f"{many(collected.files, 'file')} deleted, {size(collected.bytes)}")
