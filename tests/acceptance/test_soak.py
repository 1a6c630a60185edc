"""A short soak: visitors never see anything torn or dangling while everything goes wrong, and it all comes right in the end."""

from reliability.soak import Pace, soak


def test_visitors_never_see_what_is_torn_or_dangling_while_everything_goes_wrong() -> None:
    report = soak(seed=20, pace=Pace(seconds=30, reads=120, deed=0.7, fault=3.5))
    assert not report.violations, str(report)
    # Otherwise it would have looked away.
    assert report.reads > 1000, str(report)
    assert report.moves > 100, str(report)
    assert sum(report.faults.values()) >= 5, str(report)
