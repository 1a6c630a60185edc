"""`slipway why` and `slipway history`: what is live, since when, and what stands in the way."""

import click

import answers
from answers import publication_fields, when, why_fields, why_lines
from cli.completing import URL
from cli.flags import AS_JSON
from cli.places import module_url
from cli.session import Session, in_session
from cli.words import table
from database import Record


@click.command()
@click.argument("url", type=URL)
@AS_JSON
@in_session
def why(session: Session, url: str, as_json: bool) -> None:
    """Say, for each environment, what is live, since when and from which task, and what waits, is held or failed, and why."""
    answer = answers.why(session.database, session.settings, module_url(url))
    if as_json:
        session.document(why_fields(answer))
        return
    for line in why_lines(answer):
        session.print(line)


@click.command()
@click.argument("url", type=URL)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many, the newest first.")
@AS_JSON
@in_session
def history(session: Session, url: str, limit: int, as_json: bool) -> None:
    """List a module's publications on every target, the newest first."""
    found = Record(session.database).history(module_url(url), limit)
    if as_json:
        session.document({"url": module_url(url), "publications": [publication_fields(one) for one in found]})
        return
    rows = [
        (one.target, when(one.since), when(one.until) or "live", (one.version or b"").hex()[:12], one.task, one.title)
        for one in found
    ]
    table(session, ["target", "since", "until", "version", "task", "title"], rows)
    if not found:
        session.say("never published")
