"""What an attempt met by the way: its engine's log has it as a warning, and its summary keeps it with the task."""

from collections.abc import Callable, Mapping
from typing import Any

from database import Attempt

MOST = 10
"""Sentences; what is more stands in the summary."""
_SENTENCES: Mapping[str, Callable[[Any], list[str]]] = {
    "recovered": lambda _: ["It first finished what an engine that died had prepared there."],
    "stood_there": lambda _: ["The target still had this very release: it only turned to it, and no file moved."],
    "lagging": lambda names: [f"{name} did not answer, and has an older version for now." for name in names],
    "silent": lambda found: [f"{name} was asked for bytes and did not give them ({error})." for name, error in found.items()],
    "shared_missing": lambda urls: [f"{url} is published nowhere: packages go without what they share of it." for url in urls],
    "unknown_departments": lambda names: [
        f"The department {name} has no URL in [departments]: no page of it was published anew." for name in names
    ],
    "read_back": lambda _: ["The database knew of no deposit: what the module's own area tells of it was believed."],
}


def remarks(attempt: Attempt) -> tuple[str, ...]:
    """In sentences, the first of them."""
    found = (line for name, say in _SENTENCES.items() if (value := attempt.summary.get(name)) for line in say(value))
    return tuple(line for line, _ in zip(found, range(MOST), strict=False))
