"""`slipway rollback`: what was live before, and back to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from answers import many, when
from cli.completing import ENVIRONMENT, URL
from cli.exits import Exit
from cli.flags import Way, following
from cli.places import environment_of, module_url, store_of
from cli.publish import ask
from cli.session import Failure, Session, in_session
from cli.words import table
from database import Action, Publication, Record
from packageslip import Packageslip, diff_slips

SHOWN = 20
"""Publications that are listed, the newest first."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """One publication, and what going back to it would change. `away`: files whose bytes the local store does not have."""

    publication: Publication
    put: int
    drop: int
    away: int
    known: bool
    """Whether the record has its slip."""


@click.command()
@click.argument("url", type=URL)
@click.option("--in", "environment", type=ENVIRONMENT, metavar="ENV", required=True, help="The environment.")
@click.option("--to", type=click.IntRange(1), metavar="ID", help="The publication's id, as --list shows it.")
@click.option("--version", metavar="HEX", help="Or how its version begins. Neither: the publication before the live one.")
@click.option("--list", "listing", is_flag=True, help="List what there was, and what going back to each would change.")
@following
@in_session
def rollback(session: Session, url: str, environment: str, to: int | None, version: str | None, listing: bool, way: Way) -> Exit:
    """Publish an earlier version of a module again, from the record and the content store.

    Whatever is published after it wins, as ever: a module that must stay as it was needs its CMS corrected too.
    """
    if to is not None and version:
        raise click.UsageError("--to and --version name the same thing: choose one")
    if listing:
        return list_ways(session, module_url(url), environment_of(session, environment).origin, as_json=way.as_json)
    if to is not None:
        check_there(session, module_url(url), environment_of(session, environment).origin, to)
    chosen: dict[str, Any] = {"to": to, "version": version and version.lower()}
    return ask(session, environment, [url], Action.ROLLBACK, {key: value for key, value in chosen.items() if value}, way)


def check_there(session: Session, url: str, target: str, number: int) -> None:
    """A wrong number is told at once, not by a row that is rejected later. Raises Failure."""
    found = Record(session.database).publication(number)
    if found is None or (found.url, found.target) != (url, target):
        raise Failure(f"{number} is no publication of {url} on {target}; --list shows what there was", Exit.FAILED)


def list_ways(session: Session, url: str, target: str, *, as_json: bool) -> Exit:
    found = list(ways_back(session, url, target))
    if as_json:
        session.listing("publications", "publication", [way_fields(way) for way in found], url=url, target=target)
        return Exit.OK
    table(session, ["id", "since", "until", "version", "task", "changes", "title"], [way_row(way) for way in found])
    if not found:
        session.say(f"{url} was never published on {target}, as far as the record knows")
    return Exit.OK


def ways_back(session: Session, url: str, target: str) -> Iterator[WayBack]:
    record, store = Record(session.database), store_of(session.settings)
    live = record.slip(target, url)
    for one in record.history(url, SHOWN, target):
        slip = record.slip(target, url, one.version) if one.version else None
        changes = diff_slips(live, slip)
        needed = {file.digest for file in slip.files() if file.digest} if slip else set()
        put = len(changes.added) + len(changes.changed) + len(changes.renamed) + len(changes.unknown)
        drop = len(changes.removed) + len(changes.renamed)
        yield WayBack(one, put, drop, len(store.missing(needed - digests_of(live))), known=slip is not None)


def digests_of(slip: Packageslip | None) -> set[bytes]:
    return {file.digest for file in slip.files() if file.digest} if slip else set()


def way_row(way: WayBack) -> tuple[object, ...]:
    one = way.publication
    return (one.id, when(one.since), when(one.until) or "live", (one.version or b"").hex()[:12], one.task, words(way), one.title)


def words(way: WayBack) -> str:
    if not way.known:
        return "its slip is not kept"
    away = f" ({many(way.away, 'file')} not in this store)" if way.away else ""
    return f"{way.put} to put, {way.drop} to drop{away}"


def way_fields(way: WayBack) -> dict[str, object]:
    one = way.publication
    return {
        "id": one.id,
        "since": when(one.since),
        "until": when(one.until),
        "version": one.version.hex() if one.version else None,
        "task": one.task,
        "title": one.title,
        "put": way.put,
        "drop": way.drop,
        "not_in_store": way.away,
        "slip_kept": way.known,
    }
