"""`slipway package`: make a course package by hand, and check one."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import click

from answers import many, size
from archives import Content, Finding, Form, PackageError, build_package, check_package, packaged
from cli.completing import ENVIRONMENT
from cli.exits import Exit
from cli.flags import AS_JSON, EXISTING, FILE, FOLDER
from cli.places import environment_of, module_url, source_of, store_of
from cli.session import Failure, Session, in_session
from config import PackageSettings
from database import Record
from packageslip import Digest, Kind, Packageslip, Resource, build_slip, read_slip
from sources import Source, Want
from store import Store

SLIP = "packageslip.xml"


@click.group()
def package() -> None:
    """Build and check course packages."""


@package.command()
@click.argument("module", metavar="URL|DIR")
@click.option("--form", type=click.Choice([form.value for form in Form]), required=True, help="The package's form.")
@click.option("-o", "--output", type=FILE, required=True, help="Where to write it.")
@click.option(
    "--from", "environment", type=ENVIRONMENT, metavar="ENV", help="MODULE is a URL: what is live there. Else a folder."
)
@click.option("--source", is_flag=True, help="With --from: what the environment's source has, instead of what is live.")
@click.option("--root", type=FOLDER, help="Of a folder: the site's folder that it lies in, where its shared modules are, too.")
@click.option("--url", help="Of a folder: the module's URL. Default: what its slip says, else where it lies below --root.")
@click.option("--media", is_flag=True, help="With video and audio.")
@in_session
def build(
    session: Session,
    module: str,
    form: str,
    output: Path,
    environment: str | None,
    source: bool,
    root: Path | None,
    url: str | None,
    media: bool,
) -> None:
    """Make a module's package: of what is live on an environment's origin, of what its source has, or of a folder."""
    if environment is None and source:
        raise click.UsageError("--source asks the source of an environment: name that with --from")
    if environment is not None and (root or url):
        raise click.UsageError("--root and --url are for folders, --from is for what was published: choose one")
    options = session.settings.packages
    if environment is None:
        content = of_folder(Path(module), root, url, options)
    else:
        content = of_environment(session, module_url(module), environment, Form(form), options, media=media, ahead=source)
    with written(output) as stream:
        build_package(Form(form), content, options, stream, media=media)
    chosen = packaged(content.slip, Form(form), options, media=media)
    length = f" ({size(output.stat().st_size)})" if output.is_file() else ""
    session.say(f"{content.slip.url}: {many(len(chosen), 'resource')}, written to {output}{length}")
    if root is not None:
        for each in sorted(set(options.shared) - {each.url for each in content.shared}):
            session.say(f"without the shared module {each}: there is no such folder below {root}")


def of_environment(
    session: Session, url: str, environment: str, form: Form, options: PackageSettings, *, media: bool, ahead: bool
) -> Content:
    """What is live on the origin, by the record; `ahead`: what the source has. The store gets the bytes that it lacks."""
    settings, store = environment_of(session, environment), store_of(session.settings)
    origin = source_of(session, settings.source if ahead else f"target:{settings.origin}")

    def slip_of(wanted: str) -> Packageslip:
        if ahead:
            return origin.slip(wanted)
        slip = Record(session.database).slip(settings.origin, wanted)
        if slip is None:
            raise Failure(
                f"{wanted} is not published in {environment}; 'slipway publish' does it, --source does without", Exit.FAILED
            )
        return slip

    slip = slip_of(url)
    slip = with_bytes(origin, slip, packaged(slip, form, options, media=media), store)
    shared = [with_bytes(origin, each, each.resources, store) for each in map(slip_of, options.shared)]
    return Content(slip, store.open, tuple(shared))


def with_bytes(source: Source, slip: Packageslip, wanted: Iterable[Resource], store: Store) -> Packageslip:
    """The slip with digests and sizes of what is wanted; the store has the bytes."""
    wants = [Want(each) for each in wanted if each.digest is None or not store.has(each.digest)]
    got = {each.path: each for each in source.fetch(slip, wants, store)} if wants else {}
    known = (
        replace(each, digest=got[each.path].digest, size=got[each.path].size) if each.path in got else each
        for each in slip.resources
    )
    return replace(slip, resources=tuple(known))


def of_folder(folder: Path, root: Path | None, url: str | None, options: PackageSettings) -> Content:
    """A folder's files; with its slip, if it has one, for titles and order."""
    if not folder.is_dir():
        raise click.UsageError(f"{folder} is no folder; to pack what was published, name the environment with --from")
    places: dict[Digest, Path] = {}
    slip = slip_of_folder(folder, url or url_of(folder, root), places)
    shared = [(each, root / each.strip("/")) for each in options.shared] if root else []
    slips = [slip_of_folder(place, each, places) for each, place in shared if place.is_dir()]
    return Content(slip, lambda digest: places[digest].open("rb"), tuple(slips))


def url_of(folder: Path, root: Path | None) -> str | None:
    """Where a folder lies on the site, if that is known."""
    if root is None:
        return None
    try:
        below = folder.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise click.UsageError(f"{folder} does not lie below {root}") from error
    return "/" if below == "." else module_url(f"/{below}")


def slip_of_folder(folder: Path, url: str | None, places: dict[Digest, Path]) -> Packageslip:
    """A slip with digests; `places` learns where the bytes are. `<file>.xml` beside a file is its metadata."""
    own = folder / SLIP
    previous = read_slip(own.read_bytes(), str(own)) if own.is_file() else None
    made = build_slip(folder, url or (previous.url if previous else f"/{folder.resolve().name}"), previous=previous)
    orders = {each.path: each.order for each in previous.resources} if previous else {}
    paths = {each.path for each in made.resources}
    resources = []
    for each in made.resources:
        beside = each.path.endswith(".xml") and each.path.removesuffix(".xml") in paths and each.path not in orders
        resources.append(
            replace(each, order=orders.get(each.path, each.order), kind=Kind.METADATA if beside else each.kind),
        )
        if each.digest is not None:
            places[each.digest] = folder / each.path
    return replace(made, resources=tuple(resources))


@contextmanager
def written(file: Path) -> Iterator[BinaryIO]:
    """A file that appears when it is whole, or not at all; a device or a pipe, such as /dev/stdout, is written to as it is."""
    if file.exists() and not file.is_file():
        with refused(), file.open("wb") as stream:
            yield stream
        return
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with refused(), partial.open("xb") as stream:
            yield stream
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def refused() -> Iterator[None]:
    """A package that cannot be made is the command's failure."""
    try:
        yield
    except PackageError as error:
        raise Failure(str(error), Exit.FAILED) from error


@package.command()
@click.argument("file", type=EXISTING)
@AS_JSON
@in_session
def check(session: Session, file: Path, as_json: bool) -> Exit:
    """Name everything that is wrong with a package. Warnings do not make it a bad one."""
    found = check_package(file)
    failures = sum(1 for each in found if each.outcome == "failure")
    if as_json:
        session.document({"file": str(file), "good": not failures, "findings": [fields(each) for each in found]})
    else:
        for each in found:
            session.print(f"{each.outcome}: {each.where}: {each.sentence}")
    session.say(f"{file}: {many(failures, 'failure')}, {many(len(found) - failures, 'warning')}")
    return Exit.FAILED if failures else Exit.OK


def fields(finding: Finding) -> Mapping[str, str]:
    return {"outcome": finding.outcome, "where": finding.where, "sentence": finding.sentence}
