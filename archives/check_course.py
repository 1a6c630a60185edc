"""The rules of a course package: those of DSpace's ingester for the CWSpace profile, and what a reader's browser needs.

The ingester refuses a package whose schema or profile is another, that lacks a file which its manifest names, whose first
item leads to no file, or whose course metadata is missing; more files than the manifest names are a warning to it.
"""

import posixpath
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from archives.lom import descend, parsed, words
from archives.manifest import ADLCP, CWSP, IMSCP, SCHEMA, SCHEMA_VERSION
from archives.unpacking import Unpacked

if TYPE_CHECKING:
    from lxml.etree import _Element

MANIFEST = "imsmanifest.xml"
PROFILE, PROFILE_VERSION = "CWSpace", "0.1"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


@dataclass(frozen=True, slots=True)
class _Resource:
    """One resource of a manifest; places are entries of the zip."""

    identifier: str
    place: str | None
    files: tuple[str, ...]
    metadata: tuple[str, ...]
    dependencies: tuple[str, ...]


def check_course(zipped: Unpacked) -> Iterator[Finding]:
    """Every rule of the manifest, and of the metadata that it names."""
    if next(iter(zipped.entries), None) != MANIFEST:
        yield warning(MANIFEST, "is not the first entry; readers of streams expect it there")
    try:
        root = parsed(zipped.read(MANIFEST))
    except PackageError as error:
        yield failure(MANIFEST, str(error))
        return
    if root.tag != f"{{{IMSCP}}}manifest":
        yield failure(MANIFEST, f"is no manifest of IMS Content Packaging: its root is {root.tag}")
        return
    base = root.get(_XML_BASE) or ""
    resources = [_resource(each, base, zipped.entries) for each in descend(root, "resources", "resource")]
    yield from _schema(root)
    yield from _course_metadata(root, base, zipped)
    yield from _identifiers(root, resources)
    yield from _primary(root, resources, zipped)
    yield from _files(resources, zipped)
    yield from _metadata(root, base, resources, zipped)


def _schema(root: "_Element") -> Iterator[Finding]:
    for name, wanted in (("schema", SCHEMA), ("schemaversion", SCHEMA_VERSION)):
        found = words(root, "metadata", name)
        if found != wanted:
            yield failure(MANIFEST, f"names the {name} {found!r} instead of {wanted!r}")
    if not _claims_profile(root):
        yield warning(MANIFEST, f"claims no profile; it is for readers, and an archive that takes {PROFILE} refuses it")
        return
    for name, wanted in (("profile", PROFILE), ("profileVersion", PROFILE_VERSION)):
        found = words(root, "metadata", "packageMetadata", name)
        if found != wanted:
            yield failure(MANIFEST, f"names the {name} {found!r} instead of {wanted!r}")


def _claims_profile(root: "_Element") -> bool:
    return any(each.tag == f"{{{CWSP}}}packageMetadata" for each in descend(root, "metadata", "packageMetadata"))


def _course_metadata(root: "_Element", base: str, zipped: Unpacked) -> Iterator[Finding]:
    places = _locations(root, base, zipped.entries)
    if not places and _claims_profile(root):
        yield failure(MANIFEST, "names no metadata of the course (adlcp:location)")
    for place in places:
        if place not in zipped.entries:
            yield failure(place, "is the course's metadata by the manifest, and is not in the package")


def _identifiers(root: "_Element", resources: list[_Resource]) -> Iterator[Finding]:
    known = Counter(each.identifier for each in resources)
    yield from (failure(MANIFEST, f"has {count} resources called {name!r}") for name, count in known.items() if count > 1)
    items = list(root.iterdescendants(f"{{{IMSCP}}}item"))
    named = Counter(each.get("identifier") for each in items)
    yield from (warning(MANIFEST, f"has {count} items called {name!r}") for name, count in named.items() if count > 1)
    for item in items:
        wanted = item.get("identifierref")
        if wanted and wanted not in known:
            yield failure(MANIFEST, f"has an item {item.get('identifier')!r} that leads to no resource: {wanted!r}")
    for resource in resources:
        for needed in set(resource.dependencies) - known.keys():
            yield failure(MANIFEST, f"has a resource {resource.identifier!r} that depends on none that exists: {needed!r}")


def _primary(root: "_Element", resources: list[_Resource], zipped: Unpacked) -> Iterator[Finding]:
    """What an archive shows first: the first file of the first item of the default organization."""
    default = next((each.get("default") for each in descend(root, "organizations")), None)
    organizations = descend(root, "organizations", "organization")
    chosen = [each for each in organizations if default is None or each.get("identifier") == default]
    if not chosen:
        yield failure(MANIFEST, f"has no default organization ({default!r})")
        return
    item = next(iter(descend(chosen[0], "item")), None)
    if item is None:
        yield failure(MANIFEST, "has a default organization without an item, so an archive has nothing to show first")
        return
    resource = next((each for each in resources if each.identifier == item.get("identifierref")), None)
    place = next(iter(resource.files), resource.place) if resource else None
    if place is None or place not in zipped.entries:
        yield failure(MANIFEST, f"has a first item that leads to no file of the package ({item.get('identifierref')!r})")


def _files(resources: list[_Resource], zipped: Unpacked) -> Iterator[Finding]:
    named = {MANIFEST}
    for resource in resources:
        named.update((*resource.files, *resource.metadata))
        for place in sorted(set(resource.files) - zipped.entries.keys()):
            yield failure(place, f"is named by the manifest ({resource.identifier}) and not in the package")
        for place in resource.metadata:
            if place not in zipped.entries:
                yield failure(place, f"is the metadata of {resource.identifier} by the manifest, and not in the package")
        if resource.place is not None and resource.place not in resource.files:
            yield warning(resource.place, f"is where {resource.identifier} begins, and not among its files")
    for name in zipped.entries:
        if name not in named:
            yield warning(name, "is in the package and not in the manifest")


def _metadata(root: "_Element", base: str, resources: list[_Resource], zipped: Unpacked) -> Iterator[Finding]:
    """Metadata must be XML, and the size that it states must be the file's."""
    described = {place: next(iter(each.files), None) for each in resources for place in each.metadata}
    for place in sorted({*described, *_locations(root, base, zipped.entries)} & zipped.entries.keys()):
        try:
            stated = words(parsed(zipped.read(place)), "technical", "size")
        except PackageError as error:
            yield failure(place, str(error))
            continue
        file = described.get(place)
        if stated and file in zipped.entries and stated != str(zipped.size(file)):
            yield failure(place, f"states {stated} bytes for {file}, which has {zipped.size(file)}")


def _resource(element: "_Element", base: str, names: Container[str]) -> _Resource:
    above = element.getparent()
    for each in (above, element):
        base = posixpath.join(base, (each.get(_XML_BASE) if each is not None else None) or "")
    href = element.get("href")
    files = [each.get("href") for each in descend(element, "file")]
    return _Resource(
        element.get("identifier") or "",
        _place(base, href, names) if href else None,
        tuple(_place(base, each, names) for each in files if each),
        tuple(_locations(element, base, names)),
        tuple(each.get("identifierref") or "" for each in descend(element, "dependency")),
    )


def _locations(element: "_Element", base: str, names: Container[str]) -> list[str]:
    found = [each for each in descend(element, "metadata", "location") if each.tag == f"{{{ADLCP}}}location"]
    return [_place(base, (each.text or "").strip(), names) for each in found]


def _place(base: str, href: str, names: Container[str]) -> str:
    """An href as the entry that it names: as it stands, since archives compare it so, else as a URL."""
    literal = posixpath.join(base, href)
    return literal if literal in names else posixpath.normpath(posixpath.join(base, unquote(href.partition("#")[0])))
