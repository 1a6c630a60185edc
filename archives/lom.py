"""Learning object metadata: reading what a course says about itself, and writing a sidecar where there is none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archives.errors import PackageError
from archives.xmltext import Element, branch, document, text
from config import PackageSettings
from packageslip import Packageslip, Resource, format_time, is_page

if TYPE_CHECKING:
    from lxml.etree import _Element

NAMESPACE = "http://ocw.mit.edu/xmlns/LOM"
"""The one that DSpace's ingester for course packages reads (CWSpace)."""
_COURSE, _FILE = "4", "2"
"""Aggregation levels: a whole course, and a part of one."""
_ROLES = frozenset({"author", "publisher", "editor", "content provider", "technical implementer", "instructional designer"})
"""Of those that IEEE 1484.12.1 knows (element 2.3.1), the ones that publications have."""


@dataclass(frozen=True, slots=True)
class About:
    """What a manifest says about its course."""

    title: str
    identifiers: tuple[tuple[str, str], ...] = ()
    """Catalogue and entry."""
    version: str | None = None
    contributors: tuple[tuple[str, str], ...] = ()
    """Role and name."""
    date: str | None = None
    taxa: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Source of a taxonomy, and a path in it."""


def about_slip(slip: Packageslip, options: PackageSettings, time: int) -> About:
    """What the slip itself says."""
    names = [("URL", (options.site or "").rstrip("/") + slip.url), ("Identifier", slip.uid), ("Short id", slip.module_short_id)]
    identifiers = tuple((catalog, entry) for catalog, entry in names if entry)
    return About(slip.title or slip.url, identifiers, slip.revision, (("Publisher", options.system),), format_time(time)[:10])


def about_course(sidecar: bytes, slip: Packageslip, options: PackageSettings, time: int) -> About:
    """What the course's own metadata says; from the slip what it leaves out. Metadata that cannot be read counts as none."""
    spare = about_slip(slip, options, time)
    try:
        root = parsed(sidecar)
    except PackageError:
        return spare
    title = words(root, "general", "title")
    identifiers = tuple(
        (catalog, entry)
        for each in descend(root, "general", "identifier")
        if (catalog := words(each, "catalog")) and (entry := words(each, "entry"))
    )
    contributors = tuple(
        (words(each, "role", "value") or "Author", name)
        for each in descend(root, "lifeCycle", "contribute")
        for name in texts(each, "entity")
    )
    taxa = tuple(
        (words(each, "source") or "", tuple(entry for taxon in descend(each, "taxon") if (entry := words(taxon, "entry"))))
        for each in descend(root, "classification", "taxonPath")
    )
    return About(
        slip.title or title or spare.title,
        identifiers or spare.identifiers,
        words(root, "lifeCycle", "version") or spare.version,
        contributors or spare.contributors,
        spare.date,
        taxa,
    )


def sidecar_of(
    resource: Resource, url: str, size: int, slip: Packageslip, options: PackageSettings, *, home: bool, time: int
) -> bytes:
    """Metadata for a resource that has none of its own. `size`: bytes in the package; `home`: it stands for the course."""
    about = about_slip(slip, options, time)
    title = about.title if home else resource.title or url.rpartition("/")[2]
    level = branch("lom:aggregationLevel", text("lom:source", "LOMv1.0"), text("lom:value", _COURSE if home else _FILE))
    identifiers = about.identifiers if home else ((("Identifier", resource.uid),) if resource.uid else ())
    general = branch(
        "lom:general",
        branch("lom:title", _string(title, options)),
        *_identifiers(identifiers),
        text("lom:language", options.language),
        level,
    )
    technical = branch(
        "lom:technical",
        text("lom:location", url),
        text("lom:format", resource.type),
        None if is_page(resource) else text("lom:size", str(size)),
    )
    root = branch(
        "lom:lom",
        general,
        life_cycle(about, options, "lom:lifeCycle"),
        technical,
        branch("lom:rights", branch("lom:description", _string(options.license, options))),
        None if home else _part_of(about, options),
        **{"xmlns:lom": NAMESPACE},
    )
    return document(root)


def restated(sidecar: bytes, was: int | None, now: int) -> bytes:
    """The same metadata, with the file's size as it is now, where it stated the one that it was."""
    stated = re.compile(rb"(<(?:[\w.-]+:)?size\s*>\s*)" + str(was).encode() + rb"(\s*</)")
    return stated.sub(rb"\g<1>" + str(now).encode() + rb"\g<2>", sidecar)


def general(about: About, options: PackageSettings) -> Element:
    """A manifest's general part."""
    return branch("lom:general", branch("lom:title", _string(about.title, options)), *_identifiers(about.identifiers))


def life_cycle(about: About, options: PackageSettings, name: str) -> Element | None:
    """Version and contributors. The profile's manifest writes the element's name in another case than LOM does."""
    version = branch("lom:version", _string(about.version, options)) if about.version else None
    people = [_contribution(role, entity, about.date, options) for role, entity in about.contributors]
    return branch(name, version, *people) if version or people else None


def taxon_paths(about: About, options: PackageSettings) -> Iterator[Element]:
    """What the course is about."""
    for source, entries in about.taxa:
        taxa = [branch("lom:taxon", branch("lom:entry", _string(entry, options))) for entry in entries]
        yield branch("lom:taxonPath", branch("lom:source", _string(source, options)), *taxa)


def parsed(document: bytes) -> "_Element":
    """The root of somebody else's XML, nothing expanded and nothing loaded. Raises PackageError."""
    from lxml import etree  # noqa: PLC0415 - only what reads packages needs it

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PackageError(f"is no well-formed XML: {error}") from error


def local(element: "_Element") -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _contribution(role: str, entity: str, date: str | None, options: PackageSettings) -> Element:
    known = role.lower() in _ROLES
    source, value = ("LOMv1.0", role.lower()) if known else (options.system, role)
    roles = branch("lom:role", text("lom:source", source), text("lom:value", value))
    when = branch("lom:date", text("lom:dateTime", date)) if date else None
    return branch("lom:contribute", roles, text("lom:entity", entity), when)


def _part_of(about: About, options: PackageSettings) -> Element:
    kind = branch("lom:kind", text("lom:source", "LOMv1.0"), text("lom:value", "ispartof"))
    resource = branch("lom:resource", *_identifiers(about.identifiers), branch("lom:description", _string(about.title, options)))
    return branch("lom:relation", kind, resource)


def _identifiers(identifiers: tuple[tuple[str, str], ...]) -> list[Element]:
    return [branch("lom:identifier", text("lom:catalog", catalog), text("lom:entry", entry)) for catalog, entry in identifiers]


def _string(value: str, options: PackageSettings) -> Element:
    return text("lom:string", value, language=options.language)


def descend(element: "_Element", *names: str) -> list["_Element"]:
    """The elements at the end of a path of names, whatever their namespace and the case of their names."""
    found = [element]
    for name in names:
        found = [child for each in found for child in each if local(child).lower() == name.lower()]
    return found


def texts(element: "_Element", *names: str) -> list[str]:
    """The text of each element at the end of a path of names, blanks folded; those without text are left out."""
    found = (" ".join("".join(str(part) for part in each.itertext()).split()) for each in descend(element, *names))
    return [each for each in found if each]


def words(element: "_Element", *names: str) -> str | None:
    """The text of the first of them; None if there is none."""
    return next(iter(texts(element, *names)), None)
