"""Reading slips that have each resource on a line of its own, as every writer of ours makes them: several times as fast.

Only those lines are read here, many at once and in columns; what stands around them is read like any document. A line that
is not plain, or breaks a rule, is no fault yet: then the document is read as a whole, where every fault gets its name and line.
"""

import gc
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from packageslip.attributes import RESOURCE, digest
from packageslip.errors import UnsafePath
from packageslip.listing import KEPT, Listing
from packageslip.making import maker
from packageslip.values import Resource

PIECE = 1024 * 1024
"""Bytes of lines that are taken at once: the columns of a whole mirror would take more memory than its resources."""

_BEGIN = re.compile(rb'(?:<\?xml version="1\.0" encoding="(?:UTF|utf)-8"\?>\s*)?<packageslip\s')
_FIRST = re.compile(rb"\n *<resources(?: [^<>\n]*[^<>\n/])?>\n")
_LAST = re.compile(rb"\n *</resources>")
_CONTROLS = bytes(code for code in range(32) if code != ord("\n"))
_ESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#9;": "\t", "&#10;": "\n", "&#13;": "\r"}
_ESCAPE = re.compile("|".join(_ESCAPES))
_make = maker(Resource)


class NotPlain(Exception):
    """The document has to be read as a whole."""


class Halves(NamedTuple):
    """A document without the lines of its resources, and where in the document those begin and end."""

    frame: bytes
    first: int
    last: int


def halves(document: bytes) -> Halves:
    """The document in two. Raises NotPlain."""
    first = _FIRST.search(document)
    last = _LAST.search(document, document.rfind(b"\n", 0, document.rfind(b"</resources>"))) if first else None
    if first is None or last is None or last.start() < first.end() or not _BEGIN.match(document):
        raise NotPlain
    frame = document[: first.end()] + document[last.start() :]
    # Where there is no comment, instruction or DOCTYPE, what begins like an element is one; and of <resources> there is one.
    if b"<!" in frame or b"<?" in frame[1:] or frame.count(b"<resources") > 1:
        raise NotPlain
    return Halves(frame, first.end(), last.start() + 1)


def read_lines(document: bytes, first: int, last: int, longest: int) -> Listing:
    """The resources between these places. `longest`: characters of one attribute. Raises NotPlain."""
    found: list[Resource] = []
    written = True
    with _no_search_for_cycles():
        for piece in _pieces(document, first, last):
            try:
                resources, as_written = _resources(piece, longest)
            except (ValueError, UnsafePath) as error:
                # What the vocabulary refuses, and bytes that are not UTF-8.
                raise NotPlain from error
            found += resources
            written = written and as_written
        made = Listing(found)
    made.safe = True
    made.lines = document[first:last] if written and len(found) <= KEPT else None
    return made


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Nothing made here leads back to anything, and looking through it again and again costs more than making it."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def _pieces(document: bytes, first: int, last: int) -> Iterator[bytes]:
    """Whole lines, many at once."""
    while first < last:
        end = document.find(b"\n", min(first + PIECE, last - 1)) + 1
        yield document[first:end]
        first = end


def _resources(piece: bytes, longest: int) -> tuple[Sequence[Resource], bool]:
    """The resources of these lines, and whether the writer would write each line so."""
    text = piece.decode()
    lines = text.split("\n")
    lines.pop()
    _refuse_odd(piece, text, lines, longest)
    found: list[Resource | None] = [None] * len(lines)
    written = text.count(">") == len(lines)
    for shape, (numbers, rows) in _by_shape(lines).items():
        columns: Sequence[Sequence[str]] = list(zip(*rows, strict=True))[1::2]
        if "&" in text:
            columns = [list(map(_plain_text, column)) for column in columns]
        names = _names(shape)
        parsed = [list(map(RESOURCE[name].parse, column)) for name, column in zip(names, columns, strict=True)]
        written = written and _is_exact(shape) and all(map(_same, names, parsed, columns))
        for number, resource in zip(numbers, _from_columns(names, parsed), strict=True):
            found[number] = resource
    return found, written  # type: ignore[return-value] # none is left


def _by_shape(lines: Sequence[str]) -> dict[tuple[str, ...], tuple[list[int], list[list[str]]]]:
    """Lines with the same attributes: which those are, and each cut at its quotes."""
    shapes: dict[tuple[str, ...], tuple[list[int], list[list[str]]]] = defaultdict(lambda: ([], []))
    for number, line in enumerate(lines):
        parts = line.split('"')
        numbers, rows = shapes[tuple(parts[::2])]
        numbers.append(number)
        rows.append(parts)
    return shapes


def _refuse_odd(piece: bytes, text: str, lines: Sequence[str], longest: int) -> None:
    """Raise NotPlain unless each line is one element, in which every character and every escape is one that we write."""
    if (
        text.count("<") != len(lines)
        or max(map(len, lines)) > longest
        or len(piece.translate(None, _CONTROLS)) != len(piece)
        or ("&" in text and text.count("&") != sum(1 for _ in _ESCAPE.finditer(text)))
        or "\ufffe" in text
        or "\uffff" in text
    ):
        raise NotPlain


@lru_cache(maxsize=256)
def _names(shape: tuple[str, ...]) -> tuple[str, ...]:
    """The attributes of a line, by what stands between their values. Raises NotPlain."""
    begin, *names, end = shape
    element, _, first = begin.lstrip(" ").partition(" ")
    found = [f" {first}", *names]
    plain = element == "<resource" and end.lstrip(" ") == "/>" and all(name[:1] == " " and name[-1:] == "=" for name in found)
    known = [name[1:-1] for name in found]
    if not plain or len({*known}) < len(known) or not RESOURCE.keys() >= {*known} >= {*RESOURCE.required}:
        raise NotPlain
    return tuple(known)


@lru_cache(maxsize=256)
def _is_exact(shape: tuple[str, ...]) -> bool:
    """Whether the writer writes these attributes so."""
    names, order = _names(shape), list(RESOURCE)
    return shape[0].startswith("    <") and shape[-1] == "/>" and sorted(names, key=order.index) == list(names)


def _same(name: str, parsed: Sequence[object], column: Sequence[str]) -> bool:
    """Whether the writer writes these values so. A digest is read in no other form."""
    attribute = RESOURCE[name]
    return attribute.parse is digest or attribute.free or list(map(attribute.format, parsed)) == list(column)


def _from_columns(names: Sequence[str], parsed: Sequence[Sequence[object]]) -> Iterator[Resource]:
    by_field = {RESOURCE[name].field: column for name, column in zip(names, parsed, strict=True)}
    return map(_make, *(by_field.get(field.name) or repeat(field.default) for field in fields(Resource)))


def _plain_text(value: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], value) if "&" in value else value
