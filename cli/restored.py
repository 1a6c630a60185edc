"""`slipway db restored`: a database that was put back from an older copy goes on."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from answers import many
from cli.exits import Exit
from cli.flags import AS_JSON, DRY_RUN, YES
from cli.places import target_of
from cli.session import Failure, Session, in_session
from cli.target import documents
from cli.words import table
from config import Settings
from database import Intake, Record, Restoration
from packageslip import CatalogueEntry
from targets import Target, TargetError


@dataclass(frozen=True, slots=True)
class Found:
    """What a target holds, against what the database remembers of it."""

    name: str
    place: Target
    mark: int
    """The highest fence or serial that is known there."""
    held: tuple[CatalogueEntry, ...]
    newer: tuple[CatalogueEntry, ...]
    """Modules of which the database remembers something else, or nothing."""
    gone: tuple[str, ...]
    """Modules that the database has as live, and the target has not."""


@click.command()
@click.option("--skip", multiple=True, metavar="TARGET", help="Leave this target out; adopt it when it answers again.")
@DRY_RUN
@YES
@AS_JSON
@in_session
def restored(session: Session, skip: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool) -> None:
    """Let a queue go on whose database was put back from an older copy.

    Reads every target, says what the database lost, gives the queue a new id and fences above all that the targets know, takes
    the targets over, and records what is live there. Engines of the time before are shut out.
    """
    found = [look_at(session, name) for name in written_to(session.settings) if name not in skip]
    if not as_json:
        show(session, found)
    on_hold: tuple[int, ...] = ()
    if not dry_run:
        session.confirm(f"Go on with what {many(len(found), 'target')} hold? Engines of before are shut out.", yes=yes)
        on_hold = go_on(session, found)
    if as_json:
        session.document({"done": not dry_run, "targets": [fields(one) for one in found], "on_hold": list(on_hold)})
    lost = sum(len(one.newer) + len(one.gone) for one in found)
    session.say(f"the database lost {many(lost, 'change')}" + ("" if dry_run else "; they are recorded, and the queue goes on"))
    if on_hold:
        session.say(f"on hold, for they would undo what came later: {', '.join(map(str, on_hold))}; look at each")


def written_to(settings: Settings) -> list[str]:
    """The targets that environments write to; members of a group are reached by it."""
    names: list[str] = []
    for environment in settings.environments.values():
        names += [environment.origin, *(area.target for area in environment.holding_areas)]
        names += [environment.exports.target] if environment.exports else []
    return list(dict.fromkeys(names))


def look_at(session: Session, name: str) -> Found:
    """Raises Failure for a target that cannot be read: nothing may be begun without it."""
    place, record = target_of(session, name), Record(session.database)
    try:
        held = tuple(place.modules())
        mark = max([place.highest_fence(session.database.queue_id), *(one.serial or 0 for one in held)])
    except TargetError as error:
        remedy = f"nothing was done. Try again when it answers, or leave it out with --skip {name}"
        raise Failure(f"{error}; {remedy}", Exit.TARGET) from error
    known = {one.url: (one.version, one.serial) for one in record.published(name)}
    newer = tuple(one for one in held if known.get(one.url) != (one.version, one.serial))
    return Found(name, place, mark, held, newer, tuple(sorted(known.keys() - {one.url for one in held})))


def go_on(session: Session, found: list[Found]) -> tuple[int, ...]:
    """The database first: should this end half-way, it can be done again from the start."""
    intake = Intake(session.database)
    while intake.accept(session.settings):
        pass
    newer = {(one.name, module.url) for one in found for module in one.newer}
    newer |= {(one.name, url) for one in found for url in one.gone}
    queue = Restoration(session.database).go_on(max((one.mark for one in found), default=0), newer)
    record = Record(session.database)
    for one in found:
        one.place.adopt(queue.queue)
        record.adopt(one.name, documents(one.place, list(one.newer), one.name))
        record.forget(one.name, one.gone)
    return queue.on_hold


def show(session: Session, found: list[Found]) -> None:
    rows = [(one.name, *words) for one in found for words in differences(one)]
    table(session, ["target", "url", "serial", "what the database lost"], rows)


def differences(one: Found) -> Iterator[tuple[str, int | None, str]]:
    for module in one.newer:
        yield module.url, module.serial, "its last publication"
    for url in one.gone:
        yield url, None, "that it was removed"


def fields(one: Found) -> dict[str, object]:
    newer = [{"url": module.url, "serial": module.serial} for module in one.newer]
    return {"target": one.name, "mark": one.mark, "modules": len(one.held), "lost": newer, "removed": list(one.gone)}
