"""The catalogue of faults: what can go wrong, what Slipway does about it, which test shows it, and the lines that do it.

It is kept as data in `tests/catalogue/`, one table for each place where things go wrong. A defence names the text in a file that
keeps the fault out, and what to put there to be without it: `reliability.defences` does that and wants to see the tests fail.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "catalogue"

PLACES: Mapping[str, tuple[str, int, str]] = {
    "S": ("source", 22, "The source: a CMS over HTTP"),
    "X": ("xml", 10, "The slip as a document"),
    "N": ("names", 22, "Names of files and modules"),
    "T": ("target", 28, "The target: a server over SSH"),
    "B": ("database", 16, "The queue's database"),
    "P": ("process", 17, "Processes and their machine"),
    "D": ("deletion", 13, "Deletions, and tasks that harm others"),
}
"""The letter of the faults of a place: its table, how many there are, its heading."""

ENDS: Mapping[str, str] = {
    "again": "tried again by itself, while attempts are left",
    "waits": "waits until that answers, and loses no attempt",
    "held": "held for a person",
    "failed": "failed, with what has to be corrected",
    "refused": "refused before anything has begun",
    "goes on": "noticed, and the work goes on",
}
"""How a fault ends for the task that meets it."""

SHOWN = ("real", "stub", "pure")
"""With what the tests show it: a real server or process, one of the tests' own making, or functions that ask nobody."""

MOST_LACKING = 12
"""Faults that may be listed as not applying."""


@dataclass(frozen=True, slots=True)
class Defence:
    """The text `guard` stands exactly once in `file`; with `off` in its place the fault gets through."""

    file: str
    guard: str
    off: str
    also: "Defence | None" = None
    """A second layer that keeps the same out: both are off at once."""

    @property
    def layers(self) -> Sequence["Defence"]:
        return (self, *(self.also.layers if self.also else ()))

    def switched_off(self, source: str) -> str:
        """The file's text without the defence. Raises ValueError unless the guard stands there exactly once."""
        if source.count(self.guard) != 1:
            raise ValueError(
                f"{self.file} has this {source.count(self.guard)} times instead of once:\n{self.guard}\n"
                "Where that line has changed, let the entry in tests/catalogue follow; 'make defences IDS=...' tries it."
            )
        return source.replace(self.guard, self.off)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry. `tests` are node ids; one that ends with `[abc...]` means the cases whose names begin so."""

    id: str
    fault: str
    answer: str
    do: str = ""
    """What a person does about it; empty: nothing."""
    ends: str = ""
    shown: str = ""
    server: str = ""
    """Which server or process, or what stands in for it."""
    tests: Sequence[str] = ()
    defences: Sequence[Defence] = field(default=())
    lacking: str = ""
    """Why it does not apply."""

    @property
    def applies(self) -> bool:
        return not self.lacking


def expected() -> list[str]:
    """The ids that must be there, in order."""
    return [f"{letter}{number}" for letter, (_, count, _) in PLACES.items() for number in range(1, count + 1)]


def read_catalogue() -> dict[str, Fault]:
    """Every entry by id, in the order of the tables."""
    found: dict[str, Fault] = {}
    for name, _, _ in PLACES.values():
        table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        found |= {id_: _fault(id_, entry) for id_, entry in table.items()}
    return found


def _fault(id_: str, entry: dict[str, Any]) -> Fault:
    defences = tuple(map(_defence, entry.pop("defence", ())))
    return Fault(id_, **{**entry, "tests": tuple(entry.get("tests", ()))}, defences=defences)


def _defence(entry: dict[str, Any]) -> Defence:
    also = entry.pop("also", None)
    return Defence(**entry, also=_defence(also) if also else None)
