"""The note of a release: everything that whoever holds the module next needs in order to finish it.

The note is an XML document in the holder's folder. A cut one is not well-formed, and its counts are checked as well.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from packageslip import Digest, UnsafePath, check_module_url, check_path
from targets.area import PUBLIC_SLIP, fence_of
from targets.errors import WrittenByNewer
from targets.shelf import is_name

FAMILY = "urn:slipway:release:"
NAMESPACE = f"{FAMILY}1"
"""The number rises with what an older program must not carry out."""
OF_WHOLE = f"{FAMILY}2"
"""The namespace of a note that says `whole`."""

_Element = tuple[str, dict[str, str]]
_ESCAPED = re.compile(r'[&<>"\t\n\r]')
_LONGEST_NUMBER = 19
"""Digits of a fence."""
_STAGED = re.compile(r"[0-9]{1,9}|public")
"""What comes behind the tag in a staged file's name: a number, or the public copy of the slip. Never a way to another folder."""


class Part(StrEnum):
    """What a file is to the order of a release: assets become visible first, then the pages that use them."""

    ASSET = "asset"
    PAGE = "page"
    PUBLIC = "public"
    """The public copy of the slip."""


class Put(NamedTuple):
    """One staged file (its name's last part) and where in the module it goes."""

    name: str
    path: str
    part: Part


@dataclass(frozen=True, slots=True)
class Drop:
    """One file of the previous slip that the wanted one does not list."""

    path: str
    part: Part


@dataclass(frozen=True, slots=True)
class Turn:
    """What a release does to the trees of a versioned module. `folder`: where the trees of all modules lie.

    `to`: the release that becomes live; none: the module becomes a folder again, or goes. `leave`: its link goes first.
    `expired`: releases that go when all else is done.
    """

    folder: str
    to: str | None
    leave: bool = False
    expired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """One release. `folders`: folders that stand where a file goes and hold nothing but drops.

    `fold`: names that differ only by case are the same file on this target. `since`: from when the grace of those files
    counts that become stale by this release; None: there are none. `turn`: only where trees are involved. `version`: of the
    wanted slip; None: of none, or unknown. `whole`: nothing lay at the module's place, and its folder goes there as it is; what
    it holds, the staged slip says, and nothing else is to be done.
    """

    url: str
    tag: str
    serial: int
    previous: int | None
    publish: bool
    puts: tuple[Put, ...] = ()
    drops: tuple[Drop, ...] = ()
    folders: tuple[str, ...] = ()
    fold: bool = False
    since: int | None = None
    turn: Turn | None = None
    version: Digest | None = None
    whole: bool = False


class BadNote(Exception):
    """The document is cut short, damaged, or not a note."""


class UnknownNote(BadNote):
    """A note, but of another version of Slipway."""


def another_version(target: str, url: str, error: UnknownNote) -> WrittenByNewer:
    """What it means for the module: its task waits, without losing an attempt."""
    return WrittenByNewer(
        f"{target}: an unfinished release of {url} was begun by another version of Slipway ({error}); an engine of that version "
        "finishes it",
        target=target,
    )


def write_note(note: Note) -> bytes:
    """The document, UTF-8."""
    return b"".join(note_pieces(note))


def note_pieces(note: Note) -> Iterator[bytes]:
    """The document piece by piece, each made when it is asked for."""
    head = {
        "url": note.url,
        "tag": note.tag,
        "serial": str(note.serial),
        "previous": "" if note.previous is None else str(note.previous),
        "wanted": "publish" if note.publish else "unpublish",
        "fold": str(note.fold).lower(),
        **({} if note.since is None else {"since": str(note.since)}),
        **({} if note.version is None else {"version": note.version.hex()}),
        **({"whole": "true"} if note.whole else {}),
        "count": str(len(note.puts) + len(note.drops) + len(note.folders) + len(_turn_lines(note.turn))),
    }
    yield f'<release xmlns="{OF_WHOLE if note.whole else NAMESPACE}" {_attributes(head)}>\n'.encode()
    yield from (line.encode() for line in _lines(note))
    yield b"</release>\n"


def _lines(note: Note) -> Iterator[str]:
    # Of these there are thousands, and of what they say, only a path can hold what has to be escaped.
    yield from (f' <put name="{name}" path={_quoted(path)} part="{part}"/>\n' for name, path, part in note.puts)
    yield from (f" <folder path={_quoted(folder)}/>\n" for folder in note.folders)
    yield from (f" <drop {_attributes({'path': drop.path, 'part': drop.part})}/>\n" for drop in note.drops)
    yield from (f" <{kind} {_attributes(values)}/>\n" for kind, values in _turn_lines(note.turn))


def _turn_lines(turn: Turn | None) -> list[_Element]:
    if turn is None:
        return []
    head = {"folder": turn.folder, "to": turn.to or "", "leave": str(turn.leave).lower()}
    return [("turn", head), *(("expired", {"name": name}) for name in turn.expired)]


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{key}={_quoted(value)}" for key, value in values.items())


def _quoted(value: str) -> str:
    """Few values have anything to escape, and one look is cheaper than to replace each character that may be there."""
    return quoteattr(value) if _ESCAPED.search(value) else f'"{value}"'


def read_note(document: bytes) -> Note:
    """The note in a document. Raises BadNote."""
    try:
        (kind, head), *lines = _elements(document)
        if kind.startswith(FAMILY) and kind not in {f"{NAMESPACE} release", f"{OF_WHOLE} release"}:
            raise UnknownNote(f"its root is {kind}")
        note = _note(head, lines)
        _check(note, kind, head, len(lines))
    except (expat.ExpatError, KeyError, ValueError, UnsafePath) as error:
        raise BadNote(f"{type(error).__name__}: {error}") from error
    return note


def _elements(document: bytes) -> list[_Element]:
    """Each element's name and attributes, the root first. Expat refuses a document whose root does not end."""
    found: list[_Element] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.Parse(document, True)
    return found


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it has a DOCTYPE; a note has none, so that nothing in it expands or refers elsewhere")


def _note(head: dict[str, str], lines: list[_Element]) -> Note:
    def of(kind: str) -> list[dict[str, str]]:
        return [values for tag, values in lines if tag == f"{NAMESPACE} {kind}"]

    return Note(
        url=head["url"],
        tag=head["tag"],
        serial=_number(head["serial"]),
        previous=_number(head["previous"]) if head["previous"] else None,
        publish={"publish": True, "unpublish": False}[head["wanted"]],
        puts=tuple(Put(line["name"], line["path"], Part(line["part"])) for line in of("put")),
        drops=tuple(Drop(line["path"], Part(line["part"])) for line in of("drop")),
        folders=tuple(line["path"] for line in of("folder")),
        fold=head["fold"] == "true",
        since=_number(head["since"]) if "since" in head else None,
        turn=_turn(of("turn"), of("expired")),
        version=bytes.fromhex(head["version"]) if "version" in head else None,
        whole={"true": True, "false": False}[head.get("whole", "false")],
    )


def _turn(lines: list[dict[str, str]], expired: list[dict[str, str]]) -> Turn | None:
    if not lines:
        return None
    [head] = lines
    names = tuple(line["name"] for line in expired)
    leave = {"true": True, "false": False}[head["leave"]]
    turn = Turn(head["folder"], head["to"] or None, leave, names)
    check_path(turn.folder)
    for name in (*names, *([turn.to] if turn.to else [])):
        if not is_name(name):
            raise ValueError(f"{name!r} is no release's name")
    return turn


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise ValueError(f"{text[:40]!r} is no serial")
    return int(text)


def _check(note: Note, kind: str, head: dict[str, str], lines: int) -> None:
    if kind != f"{OF_WHOLE if note.whole else NAMESPACE} release":
        raise ValueError(f"its root is {kind}")
    if note.whole and (lines or not note.publish or note.previous is not None):
        raise ValueError("it makes a whole module visible, and something else besides")
    known = len(note.puts) + len(note.drops) + len(note.folders) + len(_turn_lines(note.turn))
    if not int(head["count"]) == known == lines:
        raise ValueError(f"it counts {head['count']} lines and has {lines}")
    if fence_of(note.tag) is None:
        raise ValueError(f"its tag {note.tag[:40]!r} is none")
    for put in note.puts:
        if not _STAGED.fullmatch(put.name):
            raise ValueError(f"it names a staged file {put.name[:40]!r}, which no release makes")
    check_module_url(note.url)
    paths = [*note.folders, *(put.path for put in note.puts), *(drop.path for drop in note.drops)]
    for path in paths:
        if path != PUBLIC_SLIP:
            check_path(path)
