"""Make the package that is deposited: what is missing of metadata is asked for, what pages share is found where it is live."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from string import Template
from typing import BinaryIO
from urllib.parse import quote

import structlog
from lxml import etree

from archives import Content, Form, build_package, package_name, packaged
from config import RetireSettings
from packageslip import Digest, Kind, Packageslip, Resource, version_of
from sources import Fetched, ResourceMissing, Want, WrongBytes
from tasks.depositing import identifier_of
from tasks.errors import VersionGone
from tasks.load import Loaded
from tasks.tools import promoted_from
from tasks.transfer import CHUNK, copied, gather
from tasks.work import Work

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """A package in the content store. `md5` is hex: archives check it."""

    digest: Digest
    md5: str
    size: int


def build_parcel(work: Work, loaded: Loaded, retire: RetireSettings) -> Built:
    """The package of the loaded module. Raises PackageError, VersionGone, SourceError's kinds."""
    options, form = work.tools.settings.packages, Form(retire.form)
    slip = with_metadata(work, loaded.slip, retire)
    work.tools.reached("described")
    files = packaged(slip, form, options, media=retire.media)
    gather(work, loaded, list(files), None)
    shared = tuple(shared_assets(work))
    version = version_of(loaded.slip)
    assert version is not None, "resolved before"
    name = identifier_of(slip.url, version, package_name(slip, options))
    content = Content(slip, work.tools.store.open, shared, name)
    with work.step("package", files=len(files), size=sum(each.size or 0 for each in files)), work.tools.store.scratch() as made:
        build_package(form, content, options, made, media=retire.media)
        made.seek(0)
        built = _keep(work, made)
    work.summary["package"] = {"form": retire.form, "bytes": built.size, "md5": built.md5}
    log.info("package built", task=work.task.id, url=slip.url, form=retire.form, bytes=built.size, md5=built.md5)
    return built


def _keep(work: Work, made: BinaryIO) -> Built:
    md5 = hashlib.md5(usedforsecurity=False)
    with work.tools.store.incoming() as incoming:
        while chunk := made.read(CHUNK):
            work.tools.pause_point()
            md5.update(chunk)
            incoming.write(chunk)
        digest, size = incoming.commit()
    return Built(digest, md5.hexdigest(), size)


def with_metadata(work: Work, slip: Packageslip, retire: RetireSettings) -> Packageslip:
    """The slip with the metadata that the CMS has of resources without a file of it.

    For what the CMS has none of either, the package's form makes some of the slip. Raises SourceError's kinds.
    """
    described = undescribed(slip, work, retire) if retire.metadata else ()
    if not described:
        return slip
    with work.step("metadata", files=len(described)):
        asked = [_sidecar(slip, each, retire.metadata or "") for each in described]
        got = {each.path: each for each in _ask(work, slip, [Want(each) for each in asked])}
        found = [each for each in asked if each.path in got]
        new = [replace(each, digest=got[each.path].digest, size=got[each.path].size, href=None) for each in found]
        for each in new:
            _well_formed(work, each)
    work.summary["metadata"] = {"asked": len(asked), "got": len(new)}
    return replace(slip, resources=(*slip.resources, *new))


def undescribed(slip: Packageslip, work: Work, retire: RetireSettings) -> Sequence[Resource]:
    """What goes into the package and has no metadata beside it. A path that is taken by something else stays as it is."""
    files = packaged(slip, Form(retire.form), work.tools.settings.packages, media=retire.media)
    paths = {each.path for each in slip.resources}
    return [each for each in files if each.kind is not Kind.METADATA and f"{each.path}.xml" not in paths]


def _sidecar(slip: Packageslip, resource: Resource, pattern: str) -> Resource:
    # Below the module's own URL it is asked for as its files are, wherever the CMS has its root.
    pattern = pattern.removeprefix("$url/")
    href = Template(pattern).safe_substitute(url=quote(slip.url), path=quote(resource.path))
    return Resource(f"{resource.path}.xml", Kind.METADATA, "application/xml", href=href, modified=resource.modified)


def _ask(work: Work, slip: Packageslip, wants: Sequence[Want]) -> Iterator[Fetched]:
    """All at once; where the CMS has no answer to one of them, the others one by one."""
    left = {want.file.path: want for want in wants}
    try:
        for fetched in work.tools.views.fetch(slip, wants, work.tools.store):
            work.tools.pause_point()
            del left[fetched.path]
            yield fetched
    except ResourceMissing:
        for want in left.values():
            yield from _ask_one(work, slip, want)


def _ask_one(work: Work, slip: Packageslip, want: Want) -> Iterator[Fetched]:
    work.tools.pause_point()
    try:
        yield from work.tools.views.fetch(slip, [want], work.tools.store)
    except ResourceMissing as error:
        log.info("the CMS has no metadata", task=work.task.id, url=slip.url, path=want.file.path, reason=str(error))


def _well_formed(work: Work, resource: Resource) -> None:
    """Refuse what is no XML before it goes into an archive for good."""
    assert resource.digest is not None, "it was fetched"
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        with work.tools.store.open(resource.digest) as stream:
            etree.parse(stream, parser)
    except etree.XMLSyntaxError as error:
        name = work.tools.views.name
        raise WrongBytes(f"{name}: the metadata {resource.path} is no XML ({error}); correct it there", source=name) from error


def shared_assets(work: Work) -> Iterator[Packageslip]:
    """The modules with shared assets, as they are live where the retired module was, all their bytes in the store.

    Raises VersionGone.
    """
    for url in work.tools.settings.packages.shared:
        found = next(((place, slip) for place in origins(work) if (slip := work.tools.record.slip(place, url))), None)
        if found is None:
            log.warning("shared module is not published", task=work.task.id, url=url)
            work.summary["shared_missing"] = [*work.summary.get("shared_missing", ()), url]
            continue
        place, slip = found
        missing = work.tools.store.missing(each.digest for each in slip.resources if each.digest)
        missing -= copied(work, place, slip, missing) if missing else set()
        if missing:
            raise VersionGone(
                f"{len(missing)} files of {url}, which packages share, are neither in the content store nor on {place}; "
                f"publish {url} again, then insert the task again ('slipway queue retry')"
            )
        yield slip


def origins(work: Work) -> Sequence[str]:
    """Where shared assets are looked for: on the source itself, then on the origins of the environments that fill it."""
    source = promoted_from(work.tools.environment)
    feeding = [
        environment.origin
        for environment in work.tools.settings.environments.values()
        if source in {area.target for area in environment.holding_areas}
    ]
    return [*([source] if source else []), *feeding]
