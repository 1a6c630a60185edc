"""Slips as no sane source writes them: shrunken, renamed, another module's, an earlier parser's, cut and garbled."""

import hashlib
import random
import re
from collections.abc import Mapping
from dataclasses import replace

from packageslip import Kind, Packageslip, Resource

URLS = ("/", "/a", "/a/b", "/a/b/c", "/d", "/s.xml")
INDEX = ("index.htm", "index.html")
PATHS = (
    *INDEX,
    "1.htm",
    "2.pdf",
    "x.pdf",
    "b/1.htm",
    "b/index.htm",
    "b/of-nobody.htm",
    "b/c/2.pdf",
    "c/9.htm",
    "a/2.pdf",
    "a/index.htm",
    "d/x.pdf",
    "s.xml",
    "stranger.pdf",
    "robots.txt",
    "turn",
    "turn/in.htm",
    "Case.htm",
    "packageslip.htm",
)
BULK = tuple(f"bulk/f{n:02d}.bin" for n in range(70))


def random_slip(chance: random.Random, url: str, live: Mapping[str, Packageslip]) -> Packageslip:
    """A slip for a module: often what is live with something wrong, sometimes something new."""
    if url == "/s.xml":
        return Packageslip(url, (Resource(".", uid=str(chance.randint(1, 5))),) if chance.random() < 0.9 else ())
    known = live.get(url)
    files = {each.path: each for each in known.resources} if known and chance.random() < 0.8 else _fresh(chance)
    for change in chance.sample(_CHANGES, chance.choice([0, 1, 1, 1, 2])):
        files = change(chance, files, live)
    resources = tuple(replace(each, size=None, digest=None) for each in _compatible(files).values())
    return Packageslip(url, resources)


def _fresh(chance: random.Random) -> dict[str, Resource]:
    paths = chance.sample(PATHS, chance.randint(1, 8))
    if chance.random() < 0.4:
        paths += chance.sample(BULK, chance.randint(20, 70))
    return {path: _file(chance, path) for path in paths}


def _file(chance: random.Random, path: str) -> Resource:
    return Resource(path, Kind.PAGE if path.endswith(("htm", "html")) else Kind.FILE, uid=str(chance.randint(1, 4)))


Files = dict[str, Resource]


def _shrunken(chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    keep = chance.sample(sorted(files), chance.randint(0, len(files)))
    return {path: files[path] for path in keep}


def _slightly_shrunken(chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    gone = set(chance.sample(sorted(files), min(len(files), chance.randint(0, 3))))
    return {path: each for path, each in files.items() if path not in gone}


def _changed(chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    return {path: _file(chance, path) if chance.random() < 0.3 else each for path, each in files.items()}


def _grown(chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    return files | {path: _file(chance, path) for path in chance.sample(PATHS, 3)}


def _index_renamed(_chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    names = {"index.htm": "index.html", "index.html": "default.htm"}
    return {names.get(path, path): replace(each, path=names.get(path, path)) for path, each in files.items()}


def _empty(_chance: random.Random, _files: Files, _live: Mapping[str, Packageslip]) -> Files:
    return {}


def _of_another_module(chance: random.Random, files: Files, live: Mapping[str, Packageslip]) -> Files:
    others = [slip for slip in live.values() if not slip.is_file]
    return {each.path: each for each in chance.choice(others).resources} if others else files


def _wrong_folder(chance: random.Random, files: Files, _live: Mapping[str, Packageslip]) -> Files:
    """A parser that lost or added a step of the path."""
    step = chance.choice(["a/", "b/", "b/c/", "d/"])
    moved = {(path.removeprefix(step) if path.startswith(step) else step + path): each for path, each in files.items()}
    return {path: replace(each, path=path) for path, each in moved.items()}


_CHANGES = (
    _shrunken,
    _slightly_shrunken,
    _slightly_shrunken,
    _changed,
    _changed,
    _grown,
    _index_renamed,
    _empty,
    _of_another_module,
    _wrong_folder,
)


def _compatible(files: Files) -> Files:
    """Mostly without names that are a file and a folder at once, which the reader refuses."""
    return {path: each for path, each in files.items() if not any(other.startswith(path + "/") for other in files)}


def mangled(chance: random.Random, document: bytes) -> bytes:
    """The document, in half of the cases as something on its way made it."""
    draw = chance.random()
    if draw < 0.6:
        return document
    lines = document.split(b"\n")
    if draw < 0.66:
        return document[: chance.randint(0, len(document))]
    if draw < 0.76:
        del lines[chance.randrange(len(lines))]
    elif draw < 0.82:
        lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    elif draw < 0.88:
        at = chance.randrange(len(document))
        return document[:at] + bytes([chance.randrange(256)]) + document[at + 1 :]
    else:
        # What a parser lost, and counted afterwards.
        lines = [line for line in lines if b"<resource " not in line or chance.random() < 0.7]
    counted = b"\n".join(lines)
    if chance.random() < 0.2:
        return counted
    return re.sub(rb'count="\d+"', b'count="%d"' % counted.count(b"<resource "), counted, count=1)


def content_of(resource: Resource) -> str:
    """The bytes that the source has for a file: its uid says which of a few."""
    return f"{resource.path} {resource.uid}"


def whole(resource: Resource) -> Resource:
    """The file with its size and digest, as it is on its way to a target."""
    content = content_of(resource).encode()
    return replace(resource, size=len(content), digest=hashlib.sha256(content).digest())
