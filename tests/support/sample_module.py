"""A small module with everything that a package can have, and its bytes in memory."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

from archives import Content
from config import PackageSettings
from packageslip import Kind, Packageslip, Resource

URL = "/courses/physics/8-01-physics-i-fall-1999"
OPTIONS = PackageSettings(site="https://ocw.example.edu", namespace="edu.example.ocw", system="Example OCW")
WHEN = 1_569_433_654
"""2019-09-25T17:47:34Z"""

INDEX = b'<html><body><a href="/courses/physics/8-01-physics-i-fall-1999/notes/l1.pdf">1</a><img src="/images/logo.gif"></body></html>'
FILES: dict[str, tuple[bytes, Kind, str, str | None, int | None]] = {
    "index.htm": (INDEX, Kind.PAGE, "text/html", "Course\thome\n& <more>", 0),
    "index.htm.xml": (b"<lom/>", Kind.METADATA, "text/xml", None, None),
    "notes/index.htm": (b"<html><body>notes</body></html>", Kind.PAGE, "text/html", "Lecture notes", 1),
    "notes/l1.pdf": (b"%PDF-1.4 one", Kind.FILE, "application/pdf", "Lecture 1", 2),
    "notes/Übung & mehr.pdf": (b"%PDF-1.4 two", Kind.FILE, "application/pdf", None, None),
    "notes.l1.pdf": (b"%PDF-1.4 three", Kind.FILE, "application/pdf", None, None),
    "video/l1.mp4": (b"moving pictures", Kind.MEDIA, "video/mp4", "Video of lecture 1", 3),
    "empty.txt": (b"", Kind.FILE, "text/plain", None, None),
}
SHARED = {"logo.gif": b"GIF89a"}


class Blobs:
    """Bytes by their digests."""

    def __init__(self) -> None:
        self._blobs: dict[bytes, bytes] = {}

    def put(self, content: bytes) -> bytes:
        digest = hashlib.sha256(content).digest()
        self._blobs[digest] = content
        return digest

    def open(self, digest: bytes) -> BinaryIO:
        return BytesIO(self._blobs[digest])


def sample(extra: Mapping[str, bytes] | None = None, **changes: object) -> Content:
    """The module; `extra`: further files; `changes`: other values of the slip."""
    blobs = Blobs()
    resources = [
        Resource(path, kind, type_, len(body), blobs.put(body), WHEN - 60, title=title, order=order)
        for path, (body, kind, type_, title, order) in FILES.items()
    ]
    resources += [Resource(path, size=len(body), digest=blobs.put(body)) for path, body in (extra or {}).items()]
    shared = [Resource(path, Kind.IMAGE, "image/gif", len(body), blobs.put(body)) for path, body in SHARED.items()]
    slip = Packageslip(
        URL,
        tuple(sorted(resources, key=lambda resource: resource.path)),
        uid="0" * 31 + "1",
        module_type="course",
        module_short_id="8-01-fall-1999",
        department_code="8",
        title="Physics I: Classical Mechanics",
        modified=WHEN,
    )
    return Content(replace(slip, **changes), blobs.open, (Packageslip("/images", tuple(shared)),))  # type: ignore[arg-type]


def built(form: str, content: Content | None = None, options: PackageSettings = OPTIONS, *, media: bool = False) -> bytes:
    """A package's bytes."""
    from archives import Form, build_package

    out = BytesIO()
    build_package(Form(form), content or sample(), options, out, media=media)
    return out.getvalue()
