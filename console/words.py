"""How values look on a page: times, durations, sizes, states."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from answers import ago, many, size, span


def took(seconds: float) -> str:
    """How long a step took: 4 ms, 1.2 s, 3 min."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def stamp(moment: datetime | None) -> str:
    """For machines and for `title`: RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def when(moment: datetime | None, now: datetime) -> Markup:
    """A time, in full and as an age; nothing for none."""
    if moment is None:
        return Markup("")
    full = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp(moment), full, ago(moment, now))


def lasting(moment: datetime | None, now: datetime) -> Markup:
    """How long something has lasted that began then; nothing for none."""
    if moment is None:
        return Markup("")
    full = f"since {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    lasted = span(max(0, (now - moment).total_seconds()))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp(moment), full, lasted)


def exactly(moment: datetime | None) -> Markup:
    """A time in full."""
    if moment is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(stamp(moment), f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC")


def state(word: object) -> Markup:
    """A state as a word with its colour."""
    text = str(word)
    return Markup('<span class="state {}">{}</span>').format(text.lower().replace(" ", "-"), text)


WORDS: Mapping[str, Callable[..., Any]] = {
    "size": size,
    "many": many,
    "span": span,
    "took": took,
    "when": when,
    "lasting": lasting,
    "exactly": exactly,
    "stamp": stamp,
    "state": state,
}
