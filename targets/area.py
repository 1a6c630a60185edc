"""Names in the area where Slipway keeps its own files on a target.

    <area>/modules-<queue id>/modules/<module id>/slip.xml   the commit record
    <area>/modules-<queue id>/modules/<module id>/<token>/   the holder's folder; always exactly one; empty at rest
    <area>/modules-<queue id>/new/<module id>~<token>/       a module being born

In a token's folder: `s:<tag>:<n>` a staged file (`slip` and `public` instead of a number: the commit record and its
public copy; `whole` and `parts`: a module's folder to be), `t:<n>` a dropped file, `d:<n>` a live folder to be, `j:<name>` a
birth that was ended, `note.tmp` and `next.xml` the note.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from packageslip import ITSELF

NOTE = "next.xml"
NOTE_BEING_WRITTEN = "note.tmp"
SLIP = "slip.xml"
PUBLIC_SLIP = "packageslip.xml"
AREA_PREFIX = "modules-"
PROBE_PREFIX = "probe-"
PRIVATE = 0o700
"""The area is never served and no other account's business."""

_LONGEST_ID = 200
"""Bytes: with `~` and a token of at most 29 a birth's name stays under the 255 that file systems allow."""
_TOKEN = re.compile(r"(\d{1,19})\.([0-9a-f]{8})")


@lru_cache(maxsize=256)
def module_id(url: str) -> str:
    """A folder name for a module, readable and reversible where it is short enough: `/courses/a b` is `+courses+a%20b`."""
    name = "+".join(quote(segment, safe="").replace("~", "%7E") for segment in url.rstrip("/").split("/")) or "+"
    if len(name) <= _LONGEST_ID:
        return name
    return f"{name[:120]}={hashlib.sha256(url.encode()).hexdigest()}"


def token_name(fence: int, nonce: str) -> str:
    """The name of a holder's folder: the fence, so that tokens compare, and a nonce, so that equal fences differ."""
    return f"{fence:019d}.{nonce}"


def fence_of(name: str) -> int | None:
    """The fence in a token's name; None if it is not a token."""
    match = _TOKEN.fullmatch(name)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Area:
    """The folders of one queue on one target."""

    folder: str
    queue: str

    @property
    def root(self) -> str:
        return f"{self.folder}/{AREA_PREFIX}{self.queue}"

    @property
    def modules(self) -> str:
        return f"{self.root}/modules"

    @property
    def new(self) -> str:
        return f"{self.root}/new"

    def module(self, url: str) -> str:
        return f"{self.modules}/{module_id(url)}"

    def slip(self, url: str) -> str:
        return f"{self.module(url)}/{SLIP}"


@dataclass(frozen=True, slots=True)
class Held:
    """The names of one module that somebody holds: its folder in the area, and the holder's folder therein."""

    url: str
    module: str
    token: str

    @property
    def folder(self) -> str:
        return f"{self.module}/{self.token}"

    @property
    def slip(self) -> str:
        return f"{self.module}/{SLIP}"

    @property
    def note(self) -> str:
        return f"{self.folder}/{NOTE}"

    def inside(self, name: str) -> str:
        """A path in the holder's folder."""
        return f"{self.folder}/{name}"

    def live(self, path: str) -> str:
        """Where the public sees a path of the module."""
        return live_path(self.url, path)

    def all_live(self, paths: Iterable[str]) -> Iterator[str]:
        """The same for many files, one by one: what is the same for all of them is made once."""
        own = self.live("")
        begin = f"{own}/" if own else ""
        return (own if path == ITSELF else begin + path for path in paths)


def staged(tag: str, name: str) -> str:
    """A staged file's name: it carries its release's tag, so that no note takes another release's file for its own."""
    return f"s:{tag}:{name}"


def live_path(url: str, path: str) -> str:
    """A path of a module, relative to the target's root."""
    return url.strip("/") if path == ITSELF else f"{url}/{path}".strip("/")


def parents(path: str) -> Iterator[str]:
    """The folders on the way to a path, outermost first, without the path itself."""
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)


def all_parents(paths: Iterable[str]) -> set[str]:
    """The folders on the way to any of these paths."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def live_folders(url: str, paths: Collection[str]) -> set[str]:
    """The folders on the way to where the public sees these paths of a module."""
    return all_parents(live_path(url, path) for path in one_of_each_folder(paths))


def one_of_each_folder(paths: Collection[str]) -> list[str]:
    """Of many paths of a module, one in each folder, and all that lie in none: the same folders lead to these."""
    deep = {path.rpartition("/")[0]: path for path in paths if "/" in path}
    return [*deep.values(), *(path for path in paths if "/" not in path)]


def deepest_first(folders: Iterable[str]) -> list[str]:
    """An order in which folders can be removed."""
    return sorted(folders, key=lambda folder: (-folder.count("/"), folder))
