"""What pages draw: numbers become places, and the templates make SVG of them, for a style is no part of a page here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from answers import Tally
from database import Task

LEAST = 1.5
"""Percent that a part of a bar has at least: three changed files beside ten thousand must be seen."""
WIDTH, HEIGHT, GAP_X, GAP_Y = 200, 46, 60, 10
"""Of a box in the family, and between boxes."""
CHILDREN = 10
"""Children that are drawn."""
LONGEST = 26
"""Characters of a line in a box."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: from x, so wide, both in percent."""

    kind: str
    tally: Tally
    x: float
    width: float


def parts(tallies: Mapping[str, Tally]) -> tuple[Part, ...]:
    """A bar divided by bytes, or by files where no sizes are known."""
    weights = {kind: tally.bytes or 0 for kind, tally in tallies.items()}
    if not any(weights.values()):
        weights = {kind: tally.files for kind, tally in tallies.items()}
    total = sum(weights.values()) or 1
    raw = {kind: max(LEAST, 100 * weight / total) for kind, weight in weights.items()}
    scale = 100 / (sum(raw.values()) or 1)
    found, x = [], 0.0
    for kind, share in raw.items():
        found.append(Part(kind, tallies[kind], round(x, 3), round(share * scale, 3)))
        x += share * scale
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Box:
    """A task in the drawing of its family."""

    task: Task
    x: int
    y: int
    title: str
    what: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A task, the one that it came of, and those that came of it."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[int, int, int, int], ...]
    width: int
    height: int


def family(task: Task, parent: Task | None, children: Sequence[Task]) -> Family | None:
    """None for a task that stands alone."""
    if not children and parent is None:
        return None
    columns: list[Sequence[Task]] = [[parent]] if parent else []
    columns += [[task], *([children] if children else [])]
    tall = max(len(column) for column in columns) * (HEIGHT + GAP_Y) - GAP_Y
    placed = [_column(column, number, tall, task) for number, column in enumerate(columns)]
    lines = [_line(left, right) for lefts, rights in pairwise(placed) for left in lefts for right in rights]
    width = len(columns) * (WIDTH + GAP_X) - GAP_X
    return Family(tuple(box for boxes in placed for box in boxes), tuple(lines), width, tall)


def _column(tasks: Sequence[Task], number: int, tall: int, own: Task) -> list[Box]:
    top = (tall - len(tasks) * (HEIGHT + GAP_Y) + GAP_Y) // 2
    return [
        Box(
            task,
            number * (WIDTH + GAP_X),
            top + row * (HEIGHT + GAP_Y),
            f"{task.id} {task.action} {task.state}",
            _what(task),
            task is own,
        )
        for row, task in enumerate(tasks)
    ]


def _what(task: Task) -> str:
    return "dependent " + _clipped(task.url, LONGEST - 10) if task.generation else _clipped(task.url, LONGEST)


def _line(left: Box, right: Box) -> tuple[int, int, int, int]:
    return left.x + WIDTH, left.y + HEIGHT // 2, right.x, right.y + HEIGHT // 2


def _clipped(text: str, most: int) -> str:
    """The end of an address tells more than its beginning."""
    return text if len(text) <= most else "…" + text[1 - most :]


def shares(seconds: Iterable[float | None]) -> list[float | None]:
    """Each as percent of the longest."""
    known = list(seconds)
    longest = max((each for each in known if each), default=0.0)
    return [None if each is None or not longest else round(100 * each / longest, 2) for each in known]
