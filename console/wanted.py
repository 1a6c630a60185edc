"""The queue's filter as it stands in an address, and back. What cannot be understood is left out, and said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.datastructures import QueryParams

from database import Action, Filter, Sort, State

LARGEST = 2**63 - 1
"""No database has a greater id."""
MOST = 10_000
"""Tasks to which one thing is done at once."""
UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
AGE = re.compile(r"([0-9]{1,6})\s*([smhdw])")
OLDEST = timedelta(days=200 * 365)
"""Nothing here is older, and a clock cannot be turned back without end."""
GROUPS: Mapping[str, frozenset[State]] = {
    "open": frozenset({State.NEW, State.READY, State.RUNNING, State.HELD}),
    "ended": frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REJECTED, State.SUPERSEDED}),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for. `fields`: the same as it goes into links; `faults`: what could not be understood."""

    filter: Filter
    sort: Sort
    after: int
    fields: Mapping[str, list[str] | str]
    faults: tuple[str, ...] = ()

    def link(self, **changes: list[str] | str | int | None) -> Mapping[str, object]:
        """The fields with some changed; the page begins anew."""
        return {**self.fields, **changes}


def read_wanted(given: QueryParams, now: datetime) -> Wanted:
    """An age such as 90m, 12h or 3d is counted back from `now`."""
    faults: list[str] = []
    words = [word.upper() for word in given.getlist("state") if word]
    states = frozenset(State(word) for word in words if word in State.__members__)
    for word in words:
        if word in {name.upper() for name in GROUPS}:
            states |= GROUPS[word.lower()]
        elif word not in State.__members__:
            faults.append(f"There is no state {word}.")
    text, env, action, module = (given.get(name, "").strip() for name in ("text", "env", "action", "module"))
    if action and action.upper() not in Action.__members__:
        faults.append(f"There is no action {action}.")
        action = ""
    newer, older = (_age(given.get(name, ""), name, faults) for name in ("newer", "older"))
    found = Filter(
        states=states,
        environment=env or None,
        action=action.upper() or None,
        module=("/" + module.strip("/")) if module else None,
        below=bool(given.get("below", "")),
        text=text[:200] or None,
        on_hold=bool(given.get("hold", "")),
        cancelling=bool(given.get("cancelling", "")),
        batch=number(given.get("batch", "")),
        since=now - newer if newer else None,
        until=now - older if older else None,
    )
    sort = given.get("sort", "")
    fields = {name: given.get(name, "") for name in PLAIN} | {"state": [word.lower() for word in words]}
    order = Sort(sort) if sort in {each.value for each in Sort} else Sort.NEWEST
    return Wanted(found, order, number(given.get("after", "")) or 0, fields, tuple(faults))


PLAIN = ("env", "action", "module", "below", "text", "hold", "cancelling", "batch", "newer", "older", "sort")


def _age(text: str, name: str, faults: list[str]) -> timedelta | None:
    text = text.strip().lower()
    match = AGE.fullmatch(text)
    if match is None:
        if text:
            faults.append(f"{name} is {text!r}; an age is a number with s, m, h, d or w, such as 90m or 3d.")
        return None
    return min(timedelta(seconds=int(match[1]) * UNITS[match[2]]), OLDEST)


def number(text: str) -> int | None:
    """A number that every database can hold; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def moment(text: str) -> datetime:
    """A time as forms write it: UTC, if it says nothing else. Raises ValueError for what is none."""
    found = datetime.fromisoformat(text)
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error


def packed(ids: list[int]) -> str:
    """Ids as a form carries them: 3-7,9."""
    parts: list[list[int]] = []
    for each in sorted(set(ids)):
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def unpacked(text: str, most: int) -> list[int]:
    """The ids again. Raises ValueError for what is no such list, or has more than `most`."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        low, _, high = part.partition("-")
        first, last = int(low), int(high or low)
        if not 0 < first <= last < 2**63 or last - first >= most - len(found):
            raise ValueError(f"not a list of at most {most:,} tasks")
        found += range(first, last + 1)
    return found
