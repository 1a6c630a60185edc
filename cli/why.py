"""`slipway why`: what is live, since when, and what stands in the way."""

import click

import answers
from answers import listed, module_at, page_in, why_fields, why_lines
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
    module, page = place(session, url)
    answer = answers.why(session.database, session.settings, module, page)
    if as_json:
        session.document(why_fields(answer))
        return
    for line in why_lines(answer):
        session.print(line)


def place(session: Session, url: str) -> tuple[str, str]:
    """The module that is meant, and which page of it; says so where it is not the one that was named."""
    above = module_url(module_at(session.database, url))
    page = page_in(url, above)
    if "://" in url or (page and listed(session.database, session.settings, above, page)):
        session.say(f"that page belongs to {above}")
        return above, page
    if page:
        session.say(f"nobody has published {url} or asked for it; what is live of {above}, the module above it, has no such file")
    return module_url(url), ""
