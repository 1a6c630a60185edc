"""RFC 3339 and whole seconds since the epoch."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import floor

LAST = 2**32 - 1
"""SFTP (version 3) carries times in 32 bits without a sign: 1970 to 2106. Slips hold no others."""

_FARTHEST = timedelta(hours=14)
"""The largest offset from UTC that XML Schema knows."""


@lru_cache(maxsize=256)
def parse_time(text: str) -> int:
    """Seconds since the epoch of `2019-09-25T17:47:34Z`; fractions are cut off. Raises ValueError.

    A time without an offset is refused: it means another moment on each server. Files that were made together share theirs,
    so the last ones are remembered.
    """
    # fromisoformat takes more: dates alone, week dates, commas, blanks, short offsets. The marks of 2019-09-25T17:47:34 are
    # at each third place.
    if text[4:17:3] != "--T::" or "," in text or not (text[-1] == "Z" or (text[-6] in "+-" and text[-3] == ":")):
        raise ValueError(_wrong(text))
    if text[19:20] == "." and not text[20].isdigit():
        raise ValueError(_wrong(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(_wrong(text)) from error
    offset = moment.utcoffset()
    if offset is None or (offset and abs(offset) > _FARTHEST):
        raise ValueError(_wrong(text))
    return check_time(floor(moment.timestamp()))


def check_time(seconds: int) -> int:
    """The same seconds, if a target can store them. Raises ValueError."""
    if not 0 <= seconds <= LAST:
        raise ValueError("the time is not between 1970 and 2106, so no SFTP server could store it")
    return seconds


@lru_cache(maxsize=256)
def format_time(seconds: int) -> str:
    """`2019-09-25T17:47:34Z`. Remembered like `parse_time`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wrong(text: str) -> str:
    return f"{text!r} is not a time like 2019-09-25T17:47:34Z"
