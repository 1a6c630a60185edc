"""What is known of the pages of one module from the last snapshot: their links, and what they became.

A page with the digest of last time is not read again, and one whose links lead where they led is not written again. One file
for each module, so that a mirror of a million files is handled with the memory that its largest module needs.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from archives.mirror_marks import Mark, Scan, unpack

_SCANNER = 2
"""Counts up whenever pages are read in another way, so that what was known counts no more."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a page became: for which answers to its links (hex digest), its digest and size, and the time it was given."""

    answers: str
    digest: bytes
    size: int
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """One page: the digest of its bytes at the source, its links, and what it became last time."""

    digest: bytes
    scan: Scan
    made: Made | None = None


class Memo:
    """The memories of one snapshot's modules, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> dict[str, Known]:
        """What is known of the module's pages, by path. A file that is damaged or of another version is worth nothing."""
        known: dict[str, Known] = {}
        with suppress(OSError, EOFError, ValueError, KeyError, TypeError, zlib.error), gzip.open(self._file(name), "rt") as lines:
            if json.loads(next(lines, "null")) != {"scanner": _SCANNER, "name": name}:
                return {}
            for line in lines:
                known |= [_read(json.loads(line))]
        return known

    def save(self, name: str, known: Mapping[str, Known]) -> None:
        """Replace what is known of the module, at once or not at all."""
        file = self._file(name)
        if not known:
            file.unlink(missing_ok=True)
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        with gzip.open(new, "wt", compresslevel=1) as out:
            out.write(json.dumps({"scanner": _SCANNER, "name": name}) + "\n")
            out.writelines(_line(path, page) for path, page in known.items())
        new.replace(file)

    def forget_others(self, names: Iterator[str]) -> None:
        """Remove what is known of modules that are not among these."""
        kept = {self._file(name) for name in names}
        for file in self._folder.glob("*/*"):
            if file not in kept:
                file.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        digest = sha256(name.encode()).hexdigest()
        return self._folder / digest[:2] / f"{digest[2:40]}.gz"


def _line(path: str, known: Known) -> str:
    made = known.made
    document = {
        "path": path,
        "digest": known.digest.hex(),
        "base": known.scan.base,
        "marks": [mark.pack() for mark in known.scan.marks],
        "made": [made.answers, made.digest.hex(), made.size, made.modified] if made else None,
    }
    return json.dumps(document, separators=(",", ":")) + "\n"


def _read(document: dict[str, Any]) -> tuple[str, Known]:
    marks: tuple[Mark, ...] = tuple(unpack(fields) for fields in document["marks"])
    made = document["made"]
    was = Made(made[0], bytes.fromhex(made[1]), made[2], made[3]) if made else None
    return document["path"], Known(bytes.fromhex(document["digest"]), Scan(marks, document["base"]), was)
