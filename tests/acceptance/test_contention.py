"""A small run of `make contention`: its seed is new each time, and is printed with what it found."""

import time

from reliability.contention import Size, contention


def test_engines_that_are_stopped_past_their_leases_never_switch_beside_others() -> None:
    report = contention(time.time_ns() % 1_000_000, Size(claims=50, modules=8, daemons=3, fault=12, most=120))
    assert report.violations == [], report
    assert report.contended >= 50, report
    assert report.faults, report
