"""What lies where in a mirror, while it is made."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from posixpath import normpath
from urllib.parse import quote, unquote

SAFE = "/-._~!$*+=@"
"""What a path may hold as it is in every place where links stand: in quotes or not, in CSS, in a list with commas."""
_SLASHES = re.compile("/{2,}")


def path_of(written: str) -> str:
    """The path in the tree that the path of a URL means: escapes read, no slash at its start."""
    try:
        path = unquote(written, errors="strict")
    except UnicodeDecodeError:
        path = unquote(written, encoding="windows-1252", errors="replace")
    return unicodedata.normalize("NFC", _SLASHES.sub("/", path)).removeprefix("/")


def find_place(path: str, exists: Callable[[str], bool], indexes: Iterable[str]) -> str | None:
    """The file that a visitor of this path gets: itself, or the index page of the folder; None: neither is there."""
    if path and not path.endswith("/") and exists(path):
        return path
    folder = path.rstrip("/") + "/" if path else ""
    return next((folder + index for index in indexes if exists(folder + index)), None)


def relative(page: str, place: str) -> str:
    """The link from one file of the tree to another, escaped."""
    here, there = page.split("/")[:-1], place.split("/")
    same, most = 0, min(len(here), len(there) - 1)
    while same < most and here[same] == there[same]:
        same += 1
    return quote("../" * (len(here) - same) + "/".join(there[same:]), safe=SAFE)


def relative_folder(page: str, folder: str) -> str:
    """The link from a file of the tree to a folder ("": the top), with a slash at its end."""
    return relative(page, f"{folder}/_".lstrip("/"))[:-1] or "./"


def joined(page: str, written: str) -> str:
    """The path that a relative link of a page leads to; "" for the top, and what would leave it begins with "../"."""
    folder = page.rpartition("/")[0]
    end = "/" if written.endswith("/") or not written else ""
    path = normpath(f"{folder}/{path_of(written)}" if folder else path_of(written) or ".")
    return "" if path == "." else path + end
