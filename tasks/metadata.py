"""Ask the CMS for metadata that a module's slip does not have, before the module goes into an archive."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from string import Template
from urllib.parse import quote

import structlog
from lxml import etree

from archives import Form, packaged
from config import RetireSettings
from packageslip import Kind, Packageslip, Resource
from sources import Fetched, ResourceMissing, Want, WrongBytes
from tasks.work import Work

log = structlog.get_logger(__name__)


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
