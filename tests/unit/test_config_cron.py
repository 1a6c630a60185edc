"""Cron text means what crontab(5) says."""

from datetime import UTC, datetime, timedelta

import pytest

from config.cron import cron_trigger, newest_fire

SUNDAY = datetime(2026, 11, 22, tzinfo=UTC)


def days(text: str, count: int = 7) -> list[str]:
    trigger = cron_trigger(text, "UTC")
    moments = [SUNDAY + timedelta(days=number) for number in range(count)]
    return [moment.strftime("%a") for moment in moments if trigger.get_next_fire_time(None, moment) == moment]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("0", ["Sun"]),
        ("7", ["Sun"]),
        ("1", ["Mon"]),
        ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("5-7", ["Sun", "Fri", "Sat"]),
        ("*/2", ["Sun", "Tue", "Thu", "Sat"]),
        ("1-6/2", ["Mon", "Wed", "Fri"]),
        ("sun,Wednesday", ["Sun", "Wed"]),
        ("fri-sun", ["Sun", "Fri", "Sat"]),
        ("*", ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]),
    ],
)
def test_days_of_the_week_count_from_sunday(field: str, expected: list[str]) -> None:
    assert days(f"0 0 * * {field}") == expected


def test_a_day_matches_by_either_field_when_both_are_restricted() -> None:
    assert days("0 0 24 * sun") == ["Sun", "Tue"]
    assert days("0 0 */1 * sun") == ["Sun"]


@pytest.mark.parametrize(
    "text", ["", "* * * * * *", "60 * * * *", "0 0 * * 5-3", "0 0 * * 1/0", "0 0 * * x", "0 0 * * 9", "a * * * *"]
)
def test_what_is_no_cron_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"fields|cron text|day of week"):
        cron_trigger(text, "UTC")


@pytest.mark.parametrize("zone", ["Mars", "", "../etc/passwd", "Europe"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        cron_trigger("* * * * *", zone)


def test_the_zone_decides_the_hour() -> None:
    trigger = cron_trigger("30 2 * * *", "Europe/Berlin")
    assert trigger.get_next_fire_time(None, SUNDAY) == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("*/5 * * * *", timedelta(minutes=4), None),
        ("*/5 * * * *", timedelta(minutes=5), SUNDAY),
        ("*/5 * * * *", timedelta(days=900), SUNDAY),
        ("0 12 * * *", timedelta(days=30), SUNDAY - timedelta(hours=12)),
        ("0 0 1 1 *", timedelta(days=3000), datetime(2026, 1, 1, tzinfo=UTC)),
        ("0 0 29 2 *", timedelta(days=3600), datetime(2024, 2, 29, tzinfo=UTC)),
        ("0 0 29 2 *", timedelta(days=36000), datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_the_newest_missed_time_is_found(text: str, after: timedelta, expected: datetime | None) -> None:
    until = SUNDAY + timedelta(minutes=4)
    assert newest_fire(cron_trigger(text, "UTC"), until - after, until) == expected


def test_a_time_that_never_came_is_none() -> None:
    assert newest_fire(cron_trigger("0 0 31 2 *", "UTC"), SUNDAY - timedelta(days=36500), SUNDAY) is None


def test_a_clock_that_was_set_back_fires_nothing() -> None:
    assert newest_fire(cron_trigger("* * * * *", "UTC"), SUNDAY, SUNDAY - timedelta(hours=1)) is None
