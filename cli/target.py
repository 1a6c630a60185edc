"""`slipway target`: test a target, or take over what it holds."""

from collections.abc import Iterator, Mapping, Sequence

import click

from answers import check_fields, many
from cli.completing import TARGET
from cli.exits import Exit
from cli.flags import AS_JSON, DRY_RUN, YES
from cli.places import source_of, target_of
from cli.plan import plan_words, rehearsed
from cli.session import Failure, Session, in_session
from cli.words import table
from database import Published, Record, pack, renew_queue_id
from packageslip import CatalogueEntry, slip_pieces
from targets import Check, Target

LISTED = 50
"""Unclaimed files that are listed on a terminal; an origin that somebody else filled has thousands."""


@click.group()
def target() -> None:
    """Test a target, or take over what it holds."""


@target.command()
@click.argument("name", type=TARGET)
@AS_JSON
@in_session
def test(session: Session, name: str, as_json: bool) -> Exit:
    """Try what publishing needs there: connect, write, sync, rename, space. Nothing is left behind."""
    checks = list(target_of(session, name).probe())
    if as_json:
        session.document({"target": name, "checks": [check_fields(check) for check in checks]})
    else:
        for check in checks:
            session.print(check_words(check))
    return Exit.TARGET if any(check.outcome == "failure" for check in checks) else Exit.OK


def check_words(check: Check) -> str:
    """One line: the outcome, what was looked at, and what to do if that is not so."""
    word = check.outcome.upper() if check.outcome == "failure" else check.outcome
    return f"{word:8} {check.what}" + (f" -> {check.remedy}" if check.remedy and check.outcome != "ok" else "")


@target.command()
@click.argument("name", type=TARGET)
@click.option("--renew", is_flag=True, help="First give this queue a new id: its database was restored from a copy.")
@DRY_RUN
@YES
@AS_JSON
@in_session
def adopt(session: Session, name: str, renew: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Take over a target of a lost or restored queue, and record what it says that it holds.

    From then on an engine of the other queue can change nothing there. A dry run also says what a full republish would change,
    and which files no slip claims: those stay as they are.
    """
    place = target_of(session, name)
    held = list(place.modules())
    outlook = outlook_of(session, name, held) if dry_run else {}
    strangers = list(place.unclaimed()) if dry_run else []
    if not as_json:
        print_holdings(session, held, outlook)
        print_strangers(session, strangers)
    before = None
    if not dry_run:
        session.confirm(f"Take over {name} with its {many(len(held), 'module')}? Engines of its old queue are shut out.", yes=yes)
        before = place.adopt(renew_queue_id(session.database) if renew else session.database.queue_id)
        Record(session.database).adopt(name, documents(place, held, name))
    if as_json:
        modules = [{**entry_fields(one), "republish": outlook.get(one.url)} for one in held]
        session.document({"target": name, "adopted": not dry_run, "was": before, "modules": modules, "unclaimed": strangers})
    session.say(f"{name} holds {many(len(held), 'module')}" + ("" if dry_run else "; it belongs to this queue now"))


def print_holdings(session: Session, held: list[CatalogueEntry], outlook: Mapping[str, str]) -> None:
    """The modules that are there, then those that a republish would add."""
    rows = [(one.url, one.module_type, (one.version or b"").hex()[:12], outlook.get(one.url)) for one in held]
    new = [(url, None, None, words) for url, words in outlook.items() if url not in {one.url for one in held}]
    table(session, ["url", "type", "version", "a republish would"], [*rows, *new])


def print_strangers(session: Session, strangers: Sequence[str]) -> None:
    """The first files that no slip claims, and how many there are."""
    for path in strangers[:LISTED]:
        session.print(f"unclaimed\t{path}")
    if strangers:
        more = f", the first {LISTED} are listed" if len(strangers) > LISTED else ""
        session.say(f"{many(len(strangers), 'file')} that no slip claims{more}; --json lists all")


def outlook_of(session: Session, name: str, held: list[CatalogueEntry]) -> dict[str, str]:
    """For each module of the target and of the sources that are published to it: what a republish would change."""
    found: dict[str, str] = {}
    for environment, settings in session.settings.environments.items():
        if settings.origin == name:
            at_source = [one.url for one in source_of(session, settings.source).modules()]
            for url in sorted({*at_source, *(one.url for one in held)}):
                found[url] = outlook_words(session, url, environment)
    return found


def outlook_words(session: Session, url: str, environment: str) -> str:
    try:
        return plan_words(rehearsed(session, url, environment, full=False)).split(": ", 1)[1]
    except Failure as failure:
        return f"fail: {failure}"


def documents(place: Target, held: list[CatalogueEntry], name: str) -> Iterator[Published]:
    """What the record needs of each module, read from its commit record."""
    for entry in held:
        slip = place.slip(entry.url)
        if slip is not None:
            yield Published(
                name, slip.url, slip.serial or 0, slip.version, pack(slip_pieces(slip)), slip.module_type, slip.title, slip.state
            )


def entry_fields(entry: CatalogueEntry) -> dict[str, object]:
    return {
        "url": entry.url,
        "type": entry.module_type,
        "state": entry.state,
        "revision": entry.revision,
        "version": entry.version.hex() if entry.version else None,
        "serial": entry.serial,
    }
