"""Cron text as crontab(5) means it, by APScheduler's triggers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Looking back in steps that grow keeps a minutely schedule from being counted through a year.
WINDOWS = tuple(timedelta(hours=hours) for hours in (1, 24, 24 * 32, 24 * 366, 24 * 366 * 9))


def cron_trigger(text: str, timezone: str) -> "BaseTrigger":
    """The trigger for five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday).

    As in crontab(5), a day matches by either day field when both are restricted. Raises ValueError with the rule that is broken.
    """
    # Engines know no schedules, and need not wait for these.
    from apscheduler.triggers.combining import OrTrigger  # noqa: PLC0415
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415

    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"has {len(fields)} fields instead of five: minute, hour, day of month, month, day of week")
    zone = _zone(timezone)
    minute, hour, day, month, weekday = fields
    days = [(day, _weekdays(weekday))]
    if not day.startswith("*") and not weekday.startswith("*"):
        days = [(day, "*"), ("*", _weekdays(weekday))]
    try:
        triggers = [
            CronTrigger(second="0", minute=minute, hour=hour, day=on, month=month, day_of_week=of_week, timezone=zone)
            for on, of_week in days
        ]
    except ValueError as error:
        raise ValueError(f"is not cron text: {error}") from error
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def newest_fire(trigger: "BaseTrigger", after: datetime, until: datetime) -> datetime | None:
    """The last moment with `after < moment <= until` at which the trigger fires, or None."""
    for window in WINDOWS:
        start = max(after, until - window)
        if found := max(_fires(trigger, start, until), default=None):
            return found
        if start == after:
            return None
    return None


def _fires(trigger: "BaseTrigger", after: datetime, until: datetime) -> Iterator[datetime]:
    moment = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    while moment is not None and moment <= until:
        yield moment
        moment = trigger.get_next_fire_time(None, moment + timedelta(microseconds=1))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("names no time zone; write it like Europe/Berlin or UTC") from error


def _weekdays(field: str) -> str:
    # APScheduler counts from Monday = 0, crontab(5) from Sunday = 0: names are the same in both.
    if field == "*":
        return "*"
    chosen = {day % 7 for part in field.split(",") for day in _days_of(part)}
    return ",".join(DAYS[day] for day in sorted(chosen))


def _days_of(part: str) -> range:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    low = 0 if span == "*" else _day(first)
    high = 6 if span == "*" else _day(last or first)
    if high < low and high == 0:
        high = 7
    if high < low or (step and not (step.isdecimal() and int(step) > 0)):
        raise ValueError(f"has a day of week that is no range: {part}")
    return range(low, high + 1, int(step or 1))


def _day(text: str) -> int:
    if text.lower()[:3] in DAYS and text.isalpha():
        return DAYS.index(text.lower()[:3])
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"has a day of week that is neither 0 to 7 nor a name: {text}")
