"""A small course to serve: its files, its slip, and how to change them."""

import hashlib
from pathlib import Path

from packageslip import Packageslip, Resource, write_slip
from support.http_cms import touch

URL = "/courses/physics"
THEN = 1_500_000_000
FILES = {
    "index.htm": b"<html>Physics I</html>",
    "lecture-notes/l1.pdf": b"%PDF " * 40_000,
    "a b/ü #1;50%.txt": b"an odd name",
    "empty.txt": b"",
}


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def resource(path: str, content: bytes) -> Resource:
    return Resource(path, size=len(content), digest=digest(content), modified=THEN)


SLIP = Packageslip(
    URL, tuple(resource(path, content) for path, content in sorted(FILES.items())), module_type="course", revision="7"
)


def at(path: str) -> str:
    """The address of one of the course's files."""
    return f"{URL}/{path}"


def put(site: Path, path: str, content: bytes) -> Path:
    """Write one of the course's files."""
    file = site / URL.strip("/") / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    touch(file, THEN)
    return file


def put_slip(site: Path, slip: Packageslip = SLIP) -> Path:
    """Write the course's slip."""
    return put(site, "packageslip.xml", write_slip(slip))


def make_site(folder: Path) -> Path:
    """A site with the course and its slip."""
    for path, content in FILES.items():
        put(folder, path, content)
    put_slip(folder)
    return folder
