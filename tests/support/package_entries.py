"""The entries of a package, what was found in it, and a small course to pack."""

import io
import zipfile
from collections.abc import Callable

from archives import Content, Finding
from packageslip import Kind, Packageslip, Resource
from support.sample_module import Blobs

NAME = "8-01-fall-1999"
MANIFEST = "imsmanifest.xml"
HOME = f"{NAME}/contents/index.htm"

Entries = dict[str, bytes]


def entries_of(package: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def failures(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.where, each.sentence) for each in found if each.outcome == "failure"]


def warnings(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.where, each.sentence) for each in found if each.outcome == "warning"]


Check = Callable[..., list[Finding]]


def changed(entries: Entries, name: str, was: str, becomes: str) -> Entries:
    text = entries[name].decode()
    assert was in text
    return {**entries, name: text.replace(was, becomes, 1).encode()}


def without(entries: Entries, name: str) -> Entries:
    assert name in entries
    return {key: value for key, value in entries.items() if key != name}


def course(sidecar: bytes, page: bytes = b"<a href='/courses/a/x'>") -> Content:
    blobs = Blobs()
    resources = (
        Resource("index.htm", Kind.PAGE, "text/html", len(page), blobs.put(page)),
        Resource("index.htm.xml", Kind.METADATA, "text/xml", len(sidecar), blobs.put(sidecar)),
        Resource("x", size=1, digest=blobs.put(b"x")),
    )
    return Content(Packageslip("/courses/a", resources, module_short_id=NAME), blobs.open)
