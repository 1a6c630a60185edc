"""`slipway why`: what is live, since when, and what stands in the way."""

import click

import answers
from answers import module_at, why_fields, why_lines
from cli.completing import URL
from cli.flags import AS_JSON
from cli.places import module_url
from cli.session import Session, in_session


@click.command()
@click.argument("url", type=URL)
@AS_JSON
@in_session
def why(session: Session, url: str, as_json: bool) -> None:
    """Say, for each environment, what is live, since when and from which task, and what waits, is held or failed, and why.

    URL is a module, or the whole address of one of its pages, as a browser shows it.
    """
    module = module_url(module_at(session.database, url) if "://" in url else url)
    if "://" in url:
        session.say(f"that page belongs to {module}")
    answer = answers.why(session.database, session.settings, module)
    if as_json:
        session.document(why_fields(answer))
        return
    for line in why_lines(answer):
        session.print(line)
