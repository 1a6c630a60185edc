"""The package that OpenCourseWare's own engine built in 2014, as the module and the shared modules that it was made of."""

import io
import posixpath
import zipfile
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree as ET

import pytest

from archives import Content
from config import PackageSettings
from packageslip import Digest, Kind, Packageslip, build_slip

URL = "/courses/electrical-engineering-and-computer-science/6-868j-the-society-of-mind-spring-2007"
NAME = "6-868j-spring-2007"
SHARED = ("/images", "/jsp", "/scripts", "/search", "/styles", "/terms", "/webfonts")
LOM = "{http://ocw.mit.edu/xmlns/LOM}"

# The order of these files is the CMS's own. Nothing in the package says it but the manifest, whose order this is.
FILES_IN_ORDER = (
    *("6-868js07.jpg", "6-868js07-th.jpg"),
    *(f"assignments/{name}.pdf" for name in ("ps3", "ps2", "ps6", "ps7", "ps9", "project", "ps4", "ps5", "ps8", "ps1")),
)

OPTIONS = PackageSettings.model_validate(
    {
        "site": "http://ocw.mit.edu",
        "namespace": "edu.mit.ocw",
        "system": "OCW",
        "shared": SHARED,
        # That engine ended every table of contents with these three; two lead to the same page.
        "closing": [
            {"page": "/terms/index.htm", "title": "Legal Notices"},
            {"page": "/terms/index.htm", "title": "Privacy Statement"},
            {"page": "/terms/trademarks/index.htm", "title": "Trademark Notices"},
        ],
    }
)


@dataclass
class RealPackage:
    """The real package, and what a package is made of again."""

    zip: Path
    folder: Path
    """Its contents/ and common/, unpacked; no manifest, START.htm or ReadMe.txt is there."""
    blobs: dict[Digest, bytes] = field(default_factory=dict)

    def content(self) -> Content:
        shared = tuple(self.slip(self.folder / "common" / url[1:], url) for url in SHARED)
        return Content(self._described(self.slip(self.folder / "contents", URL)), self.open, shared)

    def open(self, digest: Digest) -> BinaryIO:
        return io.BytesIO(self.blobs[digest])

    def slip(self, folder: Path, url: str) -> Packageslip:
        made = build_slip(folder, url)
        for resource in made.resources:
            self.keep((folder / resource.path).read_bytes())
        return made

    def keep(self, blob: bytes) -> Digest:
        digest = sha256(blob).digest()
        self.blobs[digest] = blob
        return digest

    def _described(self, slip: Packageslip) -> Packageslip:
        """With the titles that the metadata beside the files has; the order of pages is that in which pages list them."""
        listed = [*self._listed_by_pages(), *FILES_IN_ORDER]
        resources = []
        for each in slip.resources:
            beside = self.folder / "contents" / f"{each.path}.xml"
            if each.path.endswith(".xml"):
                resources.append(replace(each, kind=Kind.METADATA, order=None))
            else:
                resources.append(replace(each, title=title(beside), order=listed.index(each.path)))
        home = title(self.folder / "contents/index.htm.xml")
        return replace(slip, resources=tuple(resources), title=home, module_short_id=NAME, module_type="course")

    def _listed_by_pages(self) -> list[str]:
        """Paths of the pages: as the home page's navigation lists the sections, and each section's page its own."""
        found = ["index.htm"]
        for page in found:
            hrefs = [link for link in links((self.folder / "contents" / page).read_bytes(), "a") if ":" not in link]
            places = (posixpath.normpath(posixpath.join("contents", posixpath.dirname(page), href)) for href in hrefs)
            for place in places:
                path = place.removeprefix("contents/")
                if path != place and path.endswith(".htm") and path not in found:
                    found.append(path)
        return found


class _Links(HTMLParser):
    def __init__(self, *tags: str) -> None:
        super().__init__()
        self.tags, self.found = tags, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.tags or tag in self.tags:
            values = dict(reversed(attrs))
            self.found += (value.strip() for name in ("href", "src", "action", "background") if (value := values.get(name)))


def links(page: bytes, *tags: str) -> list[str]:
    """The links of a page, or of these elements on it, by the standard library's parser."""
    parser = _Links(*tags)
    parser.feed(page.decode())
    parser.close()
    return parser.found


def title(sidecar: Path) -> str:
    """The title in a metadata file."""
    found = ET.parse(sidecar).findtext(f"{LOM}general/{LOM}title/{LOM}string")
    assert found
    return found


@pytest.fixture(scope="session")
def real_package(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RealPackage:
    """The real package beside what is left of it without manifest, START.htm and ReadMe.txt."""
    folder = tmp_path_factory.mktemp("real-package")
    source = real_data / f"{NAME}.zip"
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            path = entry.filename.removeprefix(f"{NAME}/")
            if path.startswith(("contents/", "common/")):
                place = folder / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.read(entry))
    return RealPackage(source, folder)
