"""18.06 Linear Algebra as a CMS would serve it, made of a real export: its pages, their order, titles and texts.

The export has no binary bodies: every PDF, image, caption and video has stand-in bytes made from its uid, and says so.
Around the course stand a department, the site's shared images, and an account of which paths the CMS was asked for.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pytest

from packageslip import CatalogueEntry, Kind, Packageslip, Resource, View, ViewKind, write_catalogue, write_slip

COURSE = "/courses/mathematics/18-06-linear-algebra-spring-2010"
SHORT = "18-06-linear-algebra-spring-2010"
DEPARTMENT = "/courses/mathematics"
IMAGES = "/images"
CHANGED_AT = 1_569_433_654
"""2019-09-25T17:47:34Z, the course's last publication."""

_PAGES = frozenset({"CourseHomeSection", "CourseSection", "MediaResource", "DownloadSection", "ThisCourseAtMITSection"})
_TEXTS = ("text", "about_this_resource_text", "related_resources_text", "highlights_text", "transcript")
_KINDS = {"application/x-subrip": Kind.CAPTION, "image/jpeg": Kind.IMAGE, "image/png": Kind.IMAGE}
_REFERENCE = re.compile(r"\./resolveuid/([0-9a-f]{32})|resolveuid/([0-9a-f]{32})")
_SHARED = re.compile(r"""src=["']/images/([A-Za-z0-9_./-]+)["']""")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One file of the course: what the slip says about it, and its bytes."""

    resource: Resource
    content: bytes


@dataclass
class LinearAlgebra:
    """The export's objects by uid, and the folder that the CMS serves."""

    objects: Mapping[str, dict[str, Any]]
    folder: Path
    state: str = "staged"
    revision: int = 1
    listed: bool = True
    """Whether the department's page and feed list the course."""
    changed: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def leaves(self) -> dict[str, Leaf]:
        """Every file by its path, in the order of the export."""
        ordered = sorted(self.objects.values(), key=lambda one: int(one["_number"]))
        found = [*filter(None, (self._leaf(one) for one in ordered)), *self._videos(ordered)]
        return {leaf.resource.path: leaf for leaf in found}

    def count(self, *kinds: Kind) -> int:
        """How many files the course has of these kinds; none named: all."""
        return sum(1 for leaf in self.leaves.values() if not kinds or leaf.resource.kind in kinds)

    @property
    def shared(self) -> list[str]:
        """The site's images that the course's pages show."""
        pages = (leaf.content for leaf in self.leaves.values() if leaf.resource.kind is Kind.PAGE)
        return sorted({name for page in pages for name in _SHARED.findall(page.decode())})

    def publish(self, state: str, **changed: bytes) -> None:
        """Give the CMS this state of the course, with these files (by path) changed, as an editor would."""
        self.state, self.revision = state, self.revision + 1
        self.changed.update(changed)
        self.write()

    def write(self) -> None:
        """Everything that the CMS serves."""
        for path, leaf in self.leaves.items():
            self._file(f"{COURSE}/{path}", self.changed.get(path, leaf.content))
            self._file(f"{COURSE}/{path}.lom", _lom(leaf.resource))
        # The view that is asked to note where the course is archived: the access log says with what.
        self._file(f"{COURSE}/set_dspace_handle", b"noted")
        self._file(f"{COURSE}/index.json", json.dumps(self._summary()).encode())
        self._file(f"{COURSE}/export.json", json.dumps(self._summary() | {"export": True}).encode())
        self._file(f"{COURSE}/packageslip.xml", write_slip(self._course()))
        for name in self.shared:
            self._file(f"{IMAGES}/{name}", stand_in(name))
        self._file(f"{IMAGES}/packageslip.xml", write_slip(self._images()))
        self._department()
        with self._path("/packageslips.xml").open("wb") as stream:
            write_catalogue([CatalogueEntry(url, kind, self.state) for url, kind in MODULES.items()], stream)

    def _file(self, url: str, content: bytes) -> None:
        path = self._path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _path(self, url: str) -> Path:
        return self.folder / url.lstrip("/")

    def _course(self) -> Packageslip:
        return Packageslip(
            COURSE,
            tuple(self._listed(leaf) for leaf in self.leaves.values()),
            (View("index.json", ViewKind.JSON),),
            dependents=(DEPARTMENT,),
            uid=self._root["_uid"],
            revision=str(self.revision),
            module_type="course",
            module_short_id=SHORT,
            department_code="18",
            title=self._root["title"],
            state=self.state,
            modified=CHANGED_AT,
            zip_required=True,
        )

    def _listed(self, leaf: Leaf) -> Resource:
        path = leaf.resource.path
        return replace(leaf.resource, size=len(self.changed[path])) if path in self.changed else leaf.resource

    def _images(self) -> Packageslip:
        files = tuple(Resource(name, Kind.IMAGE, "image/png", modified=CHANGED_AT) for name in self.shared)
        return Packageslip(IMAGES, files, module_type="global-module", title="Images", state="published_in_production")

    def _department(self) -> None:
        link = f'<li><a href="{COURSE}/index.htm">{escape(self._root["title"])}</a></li>' if self.listed else ""
        page = f"<html><head><title>Mathematics</title></head><body><ul>{link}</ul></body></html>"
        item = f"<item><title>Linear Algebra</title><link>https://ocw.example.edu{COURSE}</link></item>" if self.listed else ""
        feed = f'<rss version="2.0"><channel><title>Mathematics</title>{item}</channel></rss>'
        self._file(f"{DEPARTMENT}/index.htm", page.encode())
        self._file(f"{DEPARTMENT}/rss.xml", feed.encode())
        slip = Packageslip(
            DEPARTMENT,
            (Resource("index.htm", Kind.PAGE, "text/html", title="Mathematics"),),
            (View("rss.xml", ViewKind.FEED),),
            module_type="department",
            title="Mathematics",
            state="published_in_production",
        )
        self._file(f"{DEPARTMENT}/packageslip.xml", write_slip(slip))

    def _summary(self) -> dict[str, Any]:
        return {"title": self._root["title"], "uid": self._root["_uid"], "number": self._root["master_course_number"]}

    @cached_property
    def _root(self) -> dict[str, Any]:
        return next(one for one in self.objects.values() if one["_type"] == "Course")

    def _leaf(self, one: Mapping[str, Any]) -> Leaf | None:
        if one["_type"] in _PAGES:
            return self._page(one)
        if one["_type"] not in {"OCWFile", "OCWImage"}:
            return None
        media_type = one["_content_type"]
        return self._resource(one, self._place(one), _KINDS.get(media_type, Kind.FILE), media_type, stand_in(one["_uid"]))

    def _page(self, one: Mapping[str, Any]) -> Leaf:
        place = self._place(one)
        path = place if place.endswith(".htm") else f"{place}/index.htm"
        body = "\n".join(str(one[name]) for name in _TEXTS if one.get(name))
        page = f"<html><head><title>{escape(one['title'])}</title></head>\n<body>\n{self._resolved(body)}\n</body></html>\n"
        return self._resource(one, path, Kind.PAGE, "text/html", page.encode())

    def _resource(self, one: Mapping[str, Any], path: str, kind: Kind, media_type: str, content: bytes) -> Leaf:
        resource = Resource(
            path, kind, media_type, len(content), modified=CHANGED_AT, uid=one["_uid"], title=one["title"], order=one["_number"]
        )
        return Leaf(resource, content)

    def _videos(self, ordered: list[dict[str, Any]]) -> Iterator[Leaf]:
        """One video for each asset of the captioning service, under the caption file's name."""
        for one in ordered:
            if one["_type"] == "OCWMediaAsset" and one["id"].startswith("3Play"):
                path = f"{self._place(one).rpartition('/')[0]}/{one['_uid']}.mp4"
                yield self._resource(one, path, Kind.MEDIA, "video/mp4", stand_in(one["_uid"]))

    def _place(self, one: Mapping[str, Any]) -> str:
        return str(one["_path"]).split(f"{COURSE}/", 1)[1]

    def _resolved(self, text: str) -> str:
        """References by uid, as the CMS turns them into URLs when it renders a page."""

        def place(found: re.Match[str]) -> str:
            one = self.objects.get(found[1] or found[2])
            return f"{COURSE}/{self._place(one)}" if one else "https://ocw.example.edu/gone"

        return _REFERENCE.sub(place, text)


MODULES = {COURSE: "course", DEPARTMENT: "department", IMAGES: "global-module"}


def _lom(resource: Resource) -> bytes:
    """Metadata that the CMS has for a file, asked for when the course is retired."""
    title = escape(resource.title or resource.path)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<lom xmlns="http://ltsc.ieee.org/xsd/LOM"><general><title>'
        f'<string language="en">{title}</string></title></general></lom>\n'
    ).encode()


def stand_in(name: str) -> bytes:
    """Bytes in place of a body that the export lacks: the same for the same name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"stand-in for {name}\n".encode() + digest.encode() * (1 + int(digest[:2], 16))


@pytest.fixture
def linear_algebra(real_data: Path, tmp_path: Path) -> LinearAlgebra:
    """The course, written once into a folder for a CMS to serve."""
    objects: dict[str, dict[str, Any]] = {}
    with tarfile.open(real_data / "18-06-plone-export.tar.xz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".json") else None
            if stream is not None:
                one = json.load(stream)
                objects[one["_uid"]] = one | {"_number": int(Path(member.name).stem)}
    course = LinearAlgebra(objects, tmp_path / "cms")
    course.write()
    return course
