"""The manifest of a package in IMS Content Packaging 1.1, in the form that the archive of OpenCourseWare takes.

Every href is a path as it stands, with nothing escaped: that archive compares it with the names of entries.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archives.layout import Entry, Layout, folder_of
from archives.lom import NAMESPACE as LOM
from archives.lom import About, general, life_cycle, taxon_paths
from archives.naming import identifier, last_part, package_name
from archives.organization import Item, organize
from archives.xmltext import Element, branch, document, text
from config import PackageSettings
from packageslip import Packageslip, format_time

IMSCP = "http://www.imsglobal.org/xsd/imscp_v1p1"
ADLCP = "http://www.adlnet.org/xsd/adlcp_rootv1p2"
CWSP = "http://www.dspace.org/xmlns/cwspace_imscp"
_OCW = "http://ocw.mit.edu/xmlns/ocw_imscp"
SCHEMA, SCHEMA_VERSION = "IMS Content", "1.1"
_NAMESPACES = {"xmlns": IMSCP, "xmlns:adlcp": ADLCP, "xmlns:cwsp": CWSP, "xmlns:ocw": _OCW, "xmlns:lom": LOM}


@dataclass(frozen=True)
class Manifest:
    """What a manifest is made of."""

    slip: Packageslip
    layout: Layout
    options: PackageSettings
    about: About
    time: int
    sidecars: dict[str, str]
    """The metadata's path of each file that has some; empty in a package that is for readers, not for an archive."""
    names: dict[str, str] = field(default_factory=dict)


def manifest(made: Manifest) -> bytes:
    """The manifest's bytes."""
    assets, pages = _shared_parts(made.layout.common)
    made.names.update(_resource_names([*made.layout.contents, *pages]))
    needs = f"webrenderrequirements.{identifier('', last_part(made.slip))}" if assets else None
    resources = [
        *(_resource(entry, made, [entry.path], needs) for entry in made.layout.contents),
        *(_resource(entry, made, [entry.path, *files], needs) for entry, files in pages.items()),
        _assets(needs, assets) if needs else None,
    ]
    root = branch(
        "manifest",
        _metadata(made),
        _organizations(made),
        branch("resources", *resources),
        **_NAMESPACES,
        identifier=identifier("urn_", f"{made.options.namespace}_{last_part(made.slip)}"),
        version=format_time(made.time),
        **({"cwsp:packageType": "Course"} if made.sidecars and made.options.profile else {}),
        **{"xml:base": f"{package_name(made.slip, made.options)}/"},
    )
    return document(root)


def _metadata(made: Manifest) -> Element:
    profile = None
    if made.sidecars and made.options.profile:
        profile = branch(
            "cwsp:packageMetadata",
            text("cwsp:sourceSystem", made.options.system),
            text("cwsp:profile", made.options.profile),
            text("cwsp:profileVersion", made.options.profile_version),
        )
    home = made.layout.home
    place = made.sidecars.get(home.path) if home else None
    return branch(
        "metadata",
        text("schema", SCHEMA),
        text("schemaversion", SCHEMA_VERSION),
        profile,
        general(made.about, made.options),
        life_cycle(made.about, made.options, "lom:lifecycle"),
        *taxon_paths(made.about, made.options),
        text("adlcp:location", place) if place else None,
    )


def _organizations(made: Manifest) -> Element:
    name = identifier(f"{made.options.namespace.rpartition('.')[2]}_", last_part(made.slip))
    taken: set[str] = set()
    items = [_item(each, made, taken) for each in organize(made.slip, made.layout, made.options)]
    title = text("title", made.about.title)
    return branch("organizations", branch("organization", title, *items, identifier=name), default=name)


def _item(item: Item, made: Manifest, taken: set[str]) -> Element:
    stem = "i_" if item.section == "GlobalSection" else f"i_{identifier('', last_part(made.slip))}."
    attributes = {"identifier": _unique(identifier(stem, item.key), taken)}
    if item.path is not None:
        attributes["identifierref"] = made.names[item.path]
    if item.section is not None:
        attributes["ocw:sectionTemplateType"] = item.section
        attributes["ocw:sectionTemplateVersion"] = format_time(made.time)[:10]
    return branch("item", text("title", item.title), *(_item(each, made, taken) for each in item.children), **attributes)


def _resource(entry: Entry, made: Manifest, files: Iterable[str], needs: str | None) -> Element:
    sidecar = made.sidecars.get(entry.path)
    return branch(
        "resource",
        branch("metadata", text("adlcp:location", sidecar)) if sidecar else None,
        *(branch("file", href=path) for path in files),
        branch("dependency", identifierref=needs) if needs and entry.is_page else None,
        identifier=made.names[entry.path],
        type="webcontent" if entry.is_page else "other",
        href=entry.path,
    )


def _assets(name: str, paths: Iterable[str]) -> Element:
    return branch("resource", *(branch("file", href=path) for path in paths), identifier=name, type="webcontent")


def _shared_parts(common: Iterable[Entry]) -> tuple[list[str], dict[Entry, list[str]]]:
    """Assets that all pages need; and each shared page, with the assets that lie with it or below it."""
    pages = {entry.path: entry for entry in common if entry.is_page}
    own: dict[Entry, list[str]] = {entry: [] for entry in pages.values()}
    first: dict[str, Entry] = {}
    for path in sorted(pages, key=lambda path: (not path.rpartition("/")[2].startswith("index."), path)):
        first.setdefault(folder_of(path), pages[path])
    assets: list[str] = []
    for entry in common:
        if entry.is_page:
            continue
        owner = next((first[folder] for folder in _folders_above(entry.path) if folder in first), None)
        (assets if owner is None else own[owner]).append(entry.path)
    return assets, own


def _folders_above(path: str) -> Iterator[str]:
    folder = folder_of(path)
    while folder not in (".", "common"):
        yield folder
        folder = folder_of(folder)


def _resource_names(entries: Iterable[Entry]) -> dict[str, str]:
    """An identifier for each file: from its path, and different from every other."""
    taken: set[str] = set()
    return {entry.path: _unique(identifier("r_", entry.path), taken) for entry in entries}


def _unique(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if another has it already: a.b.htm and a/b.htm are one name."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found
