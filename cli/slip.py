"""`slipway slip`: build, check and compare packageslips. Needs no configuration and no queue."""

import sys
from pathlib import Path

import click

from answers import many, size
from cli.exits import Exit
from cli.flags import AS_JSON, EXISTING, FILE, FOLDER
from cli.session import Failure, Session, in_session
from cli.signing import keygen, sign, verify
from packageslip import (
    Fault,
    Limits,
    Metadata,
    Packageslip,
    build_slip,
    check_slip,
    diff_slips,
    read_slip,
    write_catalogue,
    write_slip_to,
)
from sources import DirectorySource


@click.group()
def slip() -> None:
    """Build, check and compare packageslips."""


@slip.command()
@click.argument("folder", type=FOLDER)
@click.option("--url", required=True, help="The module's URL path, such as /courses/physics.")
@click.option("-o", "--output", type=FILE, help="Where to write it; default: stdout.")
@click.option("--previous", type=EXISTING, help="The slip before this one: keeps titles, uids, views and dependents.")
@click.option("--type", "module_type", help="The module's type, such as course.")
@click.option("--title", help="The module's title.")
@in_session
def build(
    session: Session,
    folder: Path,
    url: str,
    output: Path | None,
    previous: Path | None,
    module_type: str | None,
    title: str | None,
) -> None:
    """Make a slip for a folder, so that a site without a packageslip CMS can be published."""
    before = read(previous) if previous else None
    given: Metadata = {}
    if module_type is not None:
        given["module_type"] = module_type
    if title is not None:
        given["title"] = title
    made = build_slip(folder, url, previous=before, **given)
    if output is None:
        write_slip_to(made, sys.stdout.buffer)
    else:
        with output.open("wb") as stream:
            write_slip_to(made, stream)
    total = sum(resource.size or 0 for resource in made.resources)
    session.say(f"{url}: {many(len(made.resources), 'resource')}, {size(total)}" + (f", written to {output}" if output else ""))


@slip.command()
@click.argument("folder", type=FOLDER)
@click.option("-o", "--output", type=FILE, help="Where to write it; default: stdout.")
@in_session
def catalogue(session: Session, folder: Path, output: Path | None) -> None:
    """List the modules of a folder that a web server shows: each folder in it with a packageslip.xml.

    Served as packageslips.xml, it is what republishing everything reads.
    """
    entries = list(DirectorySource(str(folder), folder).modules())
    if output is None:
        write_catalogue(entries, sys.stdout.buffer)
    else:
        with output.open("wb") as stream:
            write_catalogue(entries, stream)
    session.say(many(len(entries), "module") + (f", written to {output}" if output else ""))


@slip.command()
@click.argument("files", nargs=-1, required=True, type=EXISTING)
@AS_JSON
@in_session
def check(session: Session, files: tuple[Path, ...], as_json: bool) -> Exit:
    """Name every fault of a slip, with its line and its rule."""
    found = {str(file): faults_of(file) for file in files}
    if as_json:
        session.document({"files": {name: [fault_fields(fault) for fault in faults] for name, faults in found.items()}})
    else:
        for name, faults in found.items():
            for fault in faults:
                session.print(f"{name}: {fault}")
    bad = sum(1 for faults in found.values() if faults)
    session.say(f"{many(len(files), 'slip')} checked, {bad or 'none'} with faults")
    return Exit.SLIP if bad else Exit.OK


slip.add_command(keygen)
slip.add_command(sign)
slip.add_command(verify)


def faults_of(file: Path) -> list[Fault]:
    with file.open("rb") as stream:
        return list(check_slip(stream, str(file), Limits()))


def fault_fields(fault: Fault) -> dict[str, object]:
    return {"line": fault.line, "rule": fault.rule, "message": fault.message}


@slip.command()
@click.argument("old", type=EXISTING)
@click.argument("new", type=EXISTING)
@AS_JSON
@in_session
def diff(session: Session, old: Path, new: Path, as_json: bool) -> None:
    """Show what publishing NEW after OLD would add (+), change (~), rename (>) and drop (-); ? needs fetching to know."""
    difference = diff_slips(read(old), read(new))
    if as_json:
        session.document({name: list(getattr(difference, name)) for name in difference.__dataclass_fields__})
        return
    marks = [(path, "+") for path in difference.added]
    marks += [(path, "~") for path in difference.changed]
    marks += [(path, "-") for path in difference.removed]
    marks += [(f"{was} -> {now}", ">") for was, now in difference.renamed]
    marks += [(path, "?") for path in difference.unknown]
    for path, mark in sorted(marks):
        session.print(f"{mark} {path}")
    if difference.described:
        session.say(f"also different: {', '.join(difference.described)}")
    put = f"{len(difference.added)} added, {len(difference.changed)} changed, {len(difference.renamed)} renamed"
    session.say(f"{put}, {len(difference.removed)} removed, {len(difference.kept)} kept, {len(difference.unknown)} unknown")


def read(file: Path) -> Packageslip:
    try:
        with file.open("rb") as stream:
            return read_slip(stream, str(file), Limits())
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", Exit.FAILED) from error
