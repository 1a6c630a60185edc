"""Slipway builds the package that OpenCourseWare's own engine built, from what that engine built it of."""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from archives import Content, Form, build_package, check_package
from packageslip import Kind
from support.real_package import NAME, OPTIONS, URL, RealPackage, links

CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
ADLCP = "{http://www.adlnet.org/xsd/adlcp_rootv1p2}"
CWSP = "{http://www.dspace.org/xmlns/cwspace_imscp}"

EXPECTED = {
    "resource common/terms/index.htm: files only here: common/terms/index.htm": (
        "A resource's page must be among its files (IMS CP 1.1.4, 4.6.2); that engine left it out, "
        "so that an archive did not know the page as part of the package."
    ),
}
"""Differences that stay, and why. docs/packages.md names each."""


@pytest.fixture(scope="module")
def built(real_package: RealPackage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "package.zip"
    with path.open("wb") as out:
        build_package(Form.IMSCP, real_package.content(), OPTIONS, out)
    return path


def test_the_package_is_the_one_that_the_real_engine_built(real_package: RealPackage, built: Path) -> None:
    with zipfile.ZipFile(real_package.zip) as theirs, zipfile.ZipFile(built) as ours:
        found = list(differences(theirs, ours))
    for difference in found:
        print(difference)
    assert sorted(found) == sorted(EXPECTED)


def differences(theirs: zipfile.ZipFile, ours: zipfile.ZipFile) -> Iterator[str]:
    yield from _sets("entries", set(theirs.namelist()), set(ours.namelist()))
    if theirs.namelist()[0] != ours.namelist()[0]:
        yield f"the first entry is {ours.namelist()[0]}"
    if {entry.compress_type for entry in ours.infolist()} != {zipfile.ZIP_STORED}:
        yield "entries are compressed"
    real, made = Described(theirs), Described(ours)
    for name, value in real.attributes.items():
        if made.attributes[name] != value:
            yield f"{name}: {made.attributes[name]!r} instead of {value!r}"
    for number, (there, here) in enumerate(zip(real.items, made.items, strict=False)):
        if there != here:
            yield f"item {number}: {here} instead of {there}"
    if len(real.items) != len(made.items):
        yield f"{len(made.items)} items instead of {len(real.items)}"
    yield from _sets("resources", set(real.resources), set(made.resources))
    for href in sorted(real.resources.keys() & made.resources.keys()):
        one, other = real.resources[href], made.resources[href]
        for part in ("identifier", "type", "metadata", "dependencies"):
            if getattr(one, part) != getattr(other, part):
                yield f"resource {href}: {part} {getattr(other, part)} instead of {getattr(one, part)}"
        yield from _sets(f"resource {href}: files", set(one.files), set(other.files))


def _sets(what: str, theirs: set[str], ours: set[str]) -> Iterator[str]:
    for name in sorted(theirs - ours):
        yield f"{what} only there: {name}"
    for name in sorted(ours - theirs):
        yield f"{what} only here: {name}"


@dataclass(frozen=True)
class DescribedResource:
    identifier: str
    type: str
    files: tuple[str, ...]
    metadata: tuple[str, ...]
    dependencies: tuple[str, ...]


class Described:
    """What a manifest says, read by nothing of Slipway."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.root = ET.fromstring(archive.read("imsmanifest.xml"))
        organization = self.root.find(f"{CP}organizations/{CP}organization")
        assert organization is not None
        self.attributes = {
            "identifier": self.root.get("identifier"),
            "base": self.root.get("{http://www.w3.org/XML/1998/namespace}base"),
            "package type": self.root.get(f"{CWSP}packageType"),
            "schema": self.root.findtext(f"{CP}metadata/{CP}schema"),
            "schema version": self.root.findtext(f"{CP}metadata/{CP}schemaversion"),
            "profile": [each.text for each in self.root.findall(f"{CP}metadata/{CWSP}packageMetadata/*")],
            "course metadata": self.root.findtext(f"{CP}metadata/{ADLCP}location"),
            "default organization": [each.get("default") for each in self.root.iter(f"{CP}organizations")],
            "organization": organization.get("identifier"),
            "organization's title": organization.findtext(f"{CP}title"),
        }
        resources = list(self.root.iter(f"{CP}resource"))
        places = {each.get("identifier"): each.get("href", "(assets)") for each in resources}
        self.items = list(self._items(organization, 1, places))
        self.resources = {places[each.get("identifier")]: _described(each) for each in resources}

    def _items(self, above: ET.Element, depth: int, places: dict[str | None, str]) -> Iterator[tuple[object, ...]]:
        for item in above.findall(f"{CP}item"):
            section = item.get("{http://ocw.mit.edu/xmlns/ocw_imscp}sectionTemplateType")
            yield depth, item.findtext(f"{CP}title"), places[item.get("identifierref")], section
            yield from self._items(item, depth + 1, places)


def _described(element: ET.Element) -> DescribedResource:
    return DescribedResource(
        element.get("identifier", ""),
        element.get("type", ""),
        tuple(each.get("href", "") for each in element.findall(f"{CP}file")),
        tuple(each.text or "" for each in element.findall(f"{CP}metadata/{ADLCP}location")),
        tuple(each.get("identifierref", "") for each in element.findall(f"{CP}dependency")),
    )


def test_building_it_twice_gives_the_same_bytes(real_package: RealPackage, built: Path) -> None:
    again = BytesIO()
    build_package(Form.IMSCP, real_package.content(), OPTIONS, again)
    assert again.getvalue() == built.read_bytes()


def test_no_relative_link_is_broken_by_a_parser_that_is_not_ours(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
        found = [(page, link) for page in names if page.endswith(".htm") for link in links(archive.read(page))]
    broken = [(page, link) for page, link in found if _leads_nowhere(page, link, names)]
    assert len(found) > 2000
    assert not broken


def _leads_nowhere(page: str, link: str, names: set[str]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return False
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) not in names


def test_files_that_are_no_pages_have_the_same_bytes_as_the_real_ones(real_package: RealPackage, built: Path) -> None:
    with zipfile.ZipFile(real_package.zip) as theirs, zipfile.ZipFile(built) as ours:
        other = {name for name in ours.namelist() if theirs.read(name) != ours.read(name)}
    kept = {name for name in other if not name.endswith((".htm", ".css"))}
    assert kept == {"imsmanifest.xml", f"{NAME}/ReadMe.txt"}


def test_pages_as_they_were_on_the_site_lead_to_the_same_places_again(real_package: RealPackage) -> None:
    """The real pages with the links that they must have had: from the site's root, as the CMS wrote them."""
    content = on_the_site(real_package)
    out = BytesIO()
    build_package(Form.IMSCP, content, OPTIONS, out)
    with zipfile.ZipFile(real_package.zip) as theirs, zipfile.ZipFile(out) as ours:
        pages = [name for name in theirs.namelist() if "/contents/" in name and name.endswith(".htm")]
        assert not any(b'"/' in _onlylinks(ours.read(page)) for page in pages), "no link from the site's root is left"
        for page in pages:
            there, here = ([_place(page, link) for link in links(archive.read(page))] for archive in (theirs, ours))
            assert len(here) == len(there)
            assert all(one == other or _became_relative(one, other) for one, other in zip(there, here, strict=True))


def on_the_site(real_package: RealPackage) -> Content:
    content = real_package.content()
    resources = []
    for each in content.slip.resources:
        if each.kind is Kind.PAGE:
            page = _from_the_root(f"contents/{each.path}", real_package.blobs[each.digest or b""])
            each = replace(each, digest=real_package.keep(page), size=len(page))  # noqa: PLW2901 - the same, on the site
        resources.append(each)
    return replace(content, slip=replace(content.slip, resources=tuple(resources)))


_LINK = re.compile(rb'((?:href|src|action)=")([^":#]+)(?=[#"])')


def _from_the_root(path: str, page: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), found[2].decode().strip()))
        root = {"contents": URL, "common": ""}[place.partition("/")[0]]
        return found[1] + f"{root}/{place.partition('/')[2]}".encode()

    changed = _LINK.sub(one, page)
    assert changed != page
    return changed


def _onlylinks(page: bytes) -> bytes:
    return b" ".join(match[1] + match[2] for match in _LINK.finditer(page))


def _place(page: str, link: str) -> str:
    """Where a link leads: a path in the package, else the link."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or not parts.path:
        return link
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path)) + "#" + parts.fragment


def _became_relative(theirs: str, ours: str) -> bool:
    """That engine left absolute links to its own site alone; here those lead into the package if it has what they want."""
    inside = ours.partition("#")[0].removeprefix(f"{NAME}/").replace("contents", URL, 1).replace("common", "", 1)
    wanted = theirs.partition("#")[0].rstrip("/").removesuffix("/index.htm")
    return f"http://ocw.mit.edu{inside}" in {wanted, f"{wanted}/index.htm"}


def test_the_real_package_and_ours_pass_the_check(real_package: RealPackage, built: Path) -> None:
    assert [each for each in check_package(real_package.zip) if each.outcome == "failure"] == []
    assert {each.where for each in check_package(built)} == {f"{NAME}/ReadMe.txt", f"{NAME}/START.htm"}


@pytest.mark.parametrize("shared_files", ["all", "used"])
def test_a_download_of_the_real_course_is_whole_without_metadata(
    real_package: RealPackage, tmp_path: Path, shared_files: str
) -> None:
    path = tmp_path / "download.zip"
    with path.open("wb") as out:
        options = OPTIONS.model_copy(update={"shared_files": shared_files})
        build_package(Form.DOWNLOAD, real_package.content(), options, out)
    with zipfile.ZipFile(real_package.zip) as theirs, zipfile.ZipFile(path) as ours:
        there = {name for name in theirs.namelist() if not name.endswith(".xml")} | {"imsmanifest.xml"}
        here = set(ours.namelist())
    assert [each for each in check_package(path) if each.outcome == "failure"] == []
    assert {name for name in there - here if "/contents/" in name} == set()
    assert here == there if shared_files == "all" else here < there
    assert sum("/common/" in name for name in here) == {"all": 198, "used": 63}[shared_files]
