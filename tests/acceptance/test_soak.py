"""A short soak: visitors never see anything torn, dangling or mixed while everything goes wrong, and it all comes right in the end."""

from reliability.soak import Pace, soak


def test_visitors_never_see_what_is_torn_dangling_or_mixed_while_everything_goes_wrong() -> None:
    """One site in the ordered layout, the other in the versioned one but for modules that lie inside each other."""
    report = soak(seed=20, pace=Pace(seconds=45, reads=80, deed=1, fault=5), layout="mixed")
    assert not report.violations, str(report)
    # Otherwise it would have looked away.
    assert report.reads > 1500, str(report)
    assert report.resolved > 15, str(report)
    assert report.moves > 75, str(report)
    assert sum(report.faults.values()) >= 7, str(report)
