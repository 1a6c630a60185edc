"""`slipway history`: what was live when, and what changed from one publication to another."""

import click

from answers import Difference, FileDifference, compare, difference_fields, many, publication_fields, size, when
from cli.completing import ENVIRONMENT, URL
from cli.exits import Exit
from cli.flags import json_or_lines
from cli.places import environment_of, module_url
from cli.session import Failure, Session, in_session
from cli.words import table
from database import Publication, Record

MARKS = {"added": "+", "changed": ">", "renamed": "=", "removed": "-", "unknown": "?"}
ALL = 1_000_000
"""Files that a comparison lists: here all of them."""


@click.command()
@click.argument("url", type=URL)
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many, the newest first.")
@click.option("--diff", nargs=2, metavar="A B", help="What changes from A to B: publications' ids, or environments' names.")
@click.option("--last", "last", type=ENVIRONMENT, metavar="ENV", help="What the newest publication there changed.")
@json_or_lines
@in_session
def history(session: Session, url: str, limit: int, diff: tuple[str, str] | None, last: str | None, as_json: bool) -> None:
    """List a module's publications on every target, the newest first; or say what changed between two of them.

    + added, > other bytes, = the same bytes under another name, - removed, ? unknown.
    """
    record, module = Record(session.database), module_url(url)
    if diff and last:
        raise click.UsageError("--diff and --last both say what to compare: choose one")
    if last:
        newest = [*record.history(module, 2, environment_of(session, last).origin), None, None]
        print_difference(session, module, compare(record, newest[1], newest[0], ALL), as_json=as_json)
    elif diff:
        first, second = (named(session, record, module, name) for name in diff)
        print_difference(session, module, compare(record, first, second, ALL), as_json=as_json)
    else:
        list_publications(session, module, record.history(module, limit), as_json=as_json)


def list_publications(session: Session, module: str, found: list[Publication], *, as_json: bool) -> None:
    if as_json:
        session.listing("publications", "publication", [publication_fields(one) for one in found], url=module)
        return
    rows = [
        (one.target, when(one.since), when(one.until) or "live", (one.version or b"").hex()[:12], one.task, one.title, one.id)
        for one in found
    ]
    table(session, ["target", "since", "until", "version", "task", "title", "id"], rows)
    if not found:
        session.say("never published")


def named(session: Session, record: Record, module: str, name: str) -> Publication | None:
    """The publication of this id, or what is live in the environment of this name (None: nothing)."""
    if not name.isdecimal():
        return record.current(environment_of(session, name).origin, module)
    found = record.publication(int(name))
    if found is None or found.url != module:
        raise Failure(f"{module} has no publication {name}; 'slipway history {module}' lists what there is", Exit.FAILED)
    return found


def print_difference(session: Session, module: str, difference: Difference, *, as_json: bool) -> None:
    if difference.lost:
        numbers = ", ".join(map(str, difference.lost))
        raise Failure(f"the slip of publication {numbers} is not kept any more: nobody can say what differs", Exit.FAILED)
    if as_json:
        session.document({"url": module, **difference_fields(difference)})
        return
    rows = [difference_row(one) for one in difference.files]
    table(session, ["  path", "before", "after", "it"], rows)
    kept = difference.tallies.get("kept")
    also = f"; also: {', '.join(difference.described)}" if difference.described else ""
    before, after = (f"publication {one.id}" if one else "nothing" for one in (difference.before, difference.after))
    session.say(f"from {before} to {after}: {many(len(rows), 'file')} differ, {kept.files if kept else 0} are the same{also}")


def difference_row(one: FileDifference) -> tuple[str, str, str, str]:
    before, after = (size(each) if each is not None else "" for each in (one.before, one.after))
    word = f"was {one.was}" if one.was else one.kind
    return (f"{MARKS[one.kind]} {one.path}", before, after, word)
