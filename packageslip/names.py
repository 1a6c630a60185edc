"""Which names may reach a target. The rules are checked when a slip is read, and by every target again.

They are portable: a path that passes can be stored on Linux, Windows and macOS, unpacked from a zip and served over
HTTP, and is one file everywhere. Each rule has a short name that errors carry and docs/packageslip.md lists.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from packageslip.errors import UnsafePath

SLIP_NAME = "packageslip.xml"
"""The slip's own name beside the module's files."""
ITSELF = "."
"""The path of a module's only file that lies at the module's own URL: `/sitemap.xml` is a module and a file."""
AREA_NAME = ".slipway"
"""Where Slipway keeps its own files on a target."""

LONGEST_SEGMENT = 255
"""Bytes; OpenSSH answers "Bad message" to more."""
LONGEST_PATH = 1024
"""Bytes. PATH_MAX is 4,096 on Linux and 1,024 on macOS."""
DEEPEST = 64
"""Folders on the way to a file. A slip costs memory for each of them; with 500 to a path, 2 MB of slip took 680 MB."""
LONGEST_URL = 500
"""Characters; what a row of the queue can hold."""

_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"} | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}
)
# Nearly every real segment matches this and needs no second look: plain ASCII, a letter or digit at both ends, and no
# Windows device, alone or with an extension. Where the case does not matter, each letter takes twice as long: so it is left
# to matter everywhere but for the devices, which are looked for only behind their first letters.
_PLAIN = re.compile(
    r"(?!(?=[aclnpACLNP])(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[. ]|$))"
    r"[A-Za-z0-9_-](?:[A-Za-z0-9_.,+=@()&' -]*[A-Za-z0-9_-])?",
    re.ASCII,
)
# The same for an href: no scheme, no escapes, and no step up before the query.
_PLAIN_HREF = re.compile(r"(?!//)(?!(?:[^?]*/)?\.\.?(?:[/?]|$))[A-Za-z0-9/._~!$&'()*+,;=@?-]+")
_ROUNDS = 5
_SEPARATORS = re.compile(r"[/\\]")
_URL_MARKS = re.compile(r"[?#]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def check_path(path: str) -> None:
    """Refuse a path, relative to its module, that must not be written to any target. Raises UnsafePath."""
    if path == ITSELF:
        return
    folder, below, name = path.rpartition("/")
    short = len(path) <= LONGEST_SEGMENT
    if short and _PLAIN.fullmatch(name) and (_is_plain(folder) if below else name.lower() != SLIP_NAME):
        return
    for rule, why in _path_faults(path):
        raise UnsafePath(path, rule, why)


def check_module_url(url: str) -> None:
    """Refuse a module's URL path that could not be a folder of a site: `/courses/physics`, or `/`. Raises UnsafePath."""
    for rule, why in _url_faults(url):
        raise UnsafePath(url, rule, why)


def check_href(href: str) -> None:
    """Refuse a place that is not on the source's own origin: relative to the module, or an absolute path. Raises UnsafePath."""
    if _PLAIN_HREF.fullmatch(href):
        return
    for why in _href_faults(href):
        raise UnsafePath(href, "H1", why)


@lru_cache(maxsize=4096)
def _is_plain(folder: str) -> bool:
    """Most paths share their folder with the one before."""
    return folder.count("/") < DEEPEST and all(_PLAIN.fullmatch(segment) for segment in folder.split("/"))


def _path_faults(path: str) -> Iterator[tuple[str, str]]:
    if path.startswith(("/", "\\")):
        yield "N2", "it is absolute; write it relative to the module"
    yield from _text_faults(path)
    if path.count("/") > DEEPEST:
        yield "N12", f"it leads through more than {DEEPEST} folders"
    if path.casefold() == SLIP_NAME:
        yield "N15", f"{SLIP_NAME} is the slip itself"
    if path.partition("/")[0].casefold() == AREA_NAME:
        yield "N15", f"{AREA_NAME} is where Slipway keeps its own files"


def _url_faults(url: str) -> Iterator[tuple[str, str]]:
    if not url.startswith("/"):
        yield "N2", "a module's URL is a path that begins with '/'"
    if url == "/":
        return
    if len(url) > LONGEST_URL:
        yield "N12", f"it has more than {LONGEST_URL} characters"
    if _URL_MARKS.search(url):
        yield "N7", "a module's URL is a path without '?' and '#'"
    yield from _text_faults(url[1:])
    segments = url.casefold().split("/")
    if segments[1] == AREA_NAME or SLIP_NAME in segments:
        yield "N15", f"{AREA_NAME} and {SLIP_NAME} are Slipway's own names"


def _href_faults(href: str) -> Iterator[str]:
    if not href:
        yield "it is empty"
    if "\\" in href:
        yield "it contains a backslash"
    if href.startswith("//") or _SCHEME.match(href):
        yield "it names another server or a scheme; only the source's own origin is asked"
    if "#" in href or any(_category_fault(letter) or letter.isspace() for letter in href):
        yield "it contains a character that a URL cannot have"
    path = _decoded(href.partition("?")[0])
    if any(segment in {".", ".."} for segment in _SEPARATORS.split(path)) or path.startswith("//"):
        yield "it contains a '.' or '..' segment"


def _text_faults(path: str) -> Iterator[tuple[str, str]]:
    """What is wrong with any relative path, of a file or of a module."""
    yield from _character_faults(path)
    if "\\" in path:
        yield "N6", "it contains a backslash"
    if ":" in path:
        yield "N3", "it contains ':', a drive or an alternate stream on Windows"
    if any(segment == ".." for segment in path.split("/")):
        yield "N1", "a '..' segment leaves the module's folder"
    elif "%" in path and _hides_step(path):
        yield "N1", "it hides a '.', '..', '/' or NUL behind percent signs"
    elif not path.isascii() and any(_is_dots(segment) for segment in path.split("/")):
        yield "N1", "a segment of dots in another form is taken for a step by who replaces them with plain ones"
    for segment in path.split("/"):
        yield from _segment_faults(segment)
    # A lone surrogate is reported above; here it only has to be counted.
    if len(path.encode(errors="surrogatepass")) > LONGEST_PATH:
        yield "N12", f"it is longer than {LONGEST_PATH} bytes"


def _segment_faults(segment: str) -> Iterator[tuple[str, str]]:
    if segment in {"", "."}:
        yield "N7", "a segment is empty or '.'"
    elif segment != ".." and segment.endswith((".", " ")):
        yield "N7", f"the segment {segment!r} ends with a dot or a blank, which Windows drops"
    if segment.partition(".")[0].rstrip(" ").casefold() in _DEVICES:
        yield "N8", f"{segment!r} is a device on Windows"
    if len(segment.encode(errors="surrogatepass")) > LONGEST_SEGMENT:
        yield "N11", f"a segment is longer than {LONGEST_SEGMENT} bytes"


def _character_faults(path: str) -> Iterator[tuple[str, str]]:
    for letter in path:
        if fault := _category_fault(letter):
            yield fault
    if not unicodedata.is_normalized("NFC", path):
        yield "N9", "it is not in Unicode normal form C, so that one name could be two files"


def _category_fault(letter: str) -> tuple[str, str] | None:
    if letter == "\0":
        return "N4", "it contains NUL, which ends an SFTP session"
    match unicodedata.category(letter):
        case "Cc":
            return "N5", f"it contains the control character U+{ord(letter):04X}"
        case "Cs":
            return "N16", f"it contains the lone surrogate U+{ord(letter):04X}, which is no character"
        case "Cf" | "Zl" | "Zp":
            return "N17", f"it contains the invisible character U+{ord(letter):04X}"
        case _:
            return None


def _is_dots(segment: str) -> bool:
    """Whether this is not a step, but looks like one and becomes one in a compatible form: full-width dots, a leader."""
    return segment not in {".", ".."} and unicodedata.normalize("NFKC", segment) in {".", ".."}


def _hides_step(path: str) -> bool:
    """Whether someone who decodes percent signs, once or more, would see another path than we do."""
    decoded = _decoded(path)
    steps = decoded.count("/") + decoded.count("\\") != path.count("/") + path.count("\\")
    return steps or "\0" in decoded or any(segment in {".", ".."} for segment in decoded.split("/"))


def _decoded(text: str) -> str:
    """Without percent signs that mean a character; what is still wrapped after a few rounds is taken for a step up."""
    for _ in range(_ROUNDS):
        once = unquote(text)
        if once == text:
            return text
        text = once
    return ".."
