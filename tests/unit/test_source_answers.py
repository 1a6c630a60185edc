"""What statuses and headers mean, how patient a source is, and how slow a transfer may be."""

from threading import Event
from time import monotonic

import pytest

from packageslip import Kind, Resource, View, ViewKind
from sources import (
    AccessRefused,
    PermanentSourceError,
    ResourceMissing,
    SourceError,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
    WrongBytes,
)
from sources.answers import content_length, fault, has_an_end, is_page_by_mistake, parse_date, retry_after
from sources.pace import Pace
from sources.patience import Patience

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessRefused),
        (403, AccessRefused),
        (407, AccessRefused),
        (404, ResourceMissing),
        (410, ResourceMissing),
        (408, TransientSourceError),
        (416, TransientSourceError),
        (425, TransientSourceError),
        (429, SourceSlow),
        (500, SourceUnreachable),
        (502, SourceUnreachable),
        (503, SourceUnreachable),
        (504, SourceUnreachable),
        (204, PermanentSourceError),
        (206, PermanentSourceError),
        (400, PermanentSourceError),
        (418, PermanentSourceError),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[SourceError]) -> None:
    error = fault("cms", "http://cms/x", status, {}, NOW)
    assert type(error) is kind
    assert str(error).startswith(f"cms: http://cms/x answered {status}")
    assert error.source == "cms"


def test_good_answers_are_no_error() -> None:
    assert fault("cms", "x", 200, {}, NOW) is None
    assert fault("cms", "x", 304, {}, NOW) is None


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_to_wait_is_slow_and_not_unreachable(status: int) -> None:
    error = fault("cms", "x", status, {"Retry-After": "7"}, NOW)
    assert isinstance(error, SourceSlow)
    assert error.retry_after == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": " 120 "}, 120),
        ({"Retry-After": "Mon, 12 Jan 1970 13:47:40 GMT"}, 60),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"Retry-After": "Sat, 01 Jan 2000 00:00:09 GMT", "Date": "Sat, 01 Jan 2000 00:00:00 GMT"}, 9),
        ({"Retry-After": "9" * 400}, 24 * 3600),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 24 * 3600),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Jan 1970 13:47:40 GMT", "Mon, 12 Jan 99999 13:47:40 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


def test_a_length_counts_only_for_bytes_that_are_not_encoded() -> None:
    assert content_length({"Content-Length": "12"}) == 12
    assert content_length({"Content-Length": "12", "Content-Encoding": "identity"}) == 12
    assert content_length({"Content-Length": "12", "Content-Encoding": "gzip"}) is None
    assert content_length({"Content-Length": "12", "Transfer-Encoding": "chunked"}) is None
    assert content_length({"Content-Length": "many"}) is None
    assert content_length({}) is None


def test_only_a_length_or_chunks_tell_where_a_body_ends() -> None:
    assert has_an_end({"Content-Length": "0"})
    assert has_an_end({"Content-Length": "12", "Content-Encoding": "gzip"})
    assert has_an_end({"Transfer-Encoding": " Chunked"})
    assert not has_an_end({"Connection": "close"})


@pytest.mark.parametrize("length", ["-5", "many", "", "5, 1000", "9" * 5000, "1.5", "\u0665"])
def test_what_is_no_length_tells_no_end(length: str) -> None:
    assert not has_an_end({"Content-Length": length})
    assert content_length({"Content-Length": length}) is None


@pytest.mark.parametrize("coding", ["gzip, chunked", "xchunked", "identity", ""])
def test_a_coding_of_the_transfer_that_is_not_undone_tells_no_end(coding: str) -> None:
    assert not has_an_end({"Transfer-Encoding": coding, "Content-Length": "5"})


HTML = {"Content-Type": " Text/HTML; charset=utf-8"}


@pytest.mark.parametrize(
    ("file", "mistake"),
    [
        (Resource("a.pdf"), True),
        (Resource("a.pdf", type="application/pdf", kind=Kind.FILE), True),
        (View("a.json", ViewKind.JSON), True),
        (Resource("a.HTM"), False),
        (Resource("about", kind=Kind.PAGE), False),
        (Resource("about", type="text/html"), False),
        (Resource("about", type="application/xhtml+xml"), False),
    ],
)
def test_an_html_answer_is_a_mistake_unless_the_slip_lists_a_page(file: Resource | View, mistake: bool) -> None:
    assert is_page_by_mistake(file, HTML) is mistake
    assert not is_page_by_mistake(file, {"Content-Type": "application/pdf"})
    assert not is_page_by_mistake(file, {})


class Flaky:
    """A request that fails in order, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = iter(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        for error in self.errors:
            raise error
        return "done"


def patience(retries: int = 2, max_retry_after: float = 1) -> Patience:
    return Patience(retries, max_retry_after, pause=0.001)


def test_a_transient_error_is_repeated_as_often_as_allowed() -> None:
    flaky = Flaky(SourceUnreachable("1"), SourceSlow("2"))
    assert patience().attempt(flaky, Event()) == "done"
    flaky = Flaky(SourceUnreachable("1"), SourceSlow("2"), SourceUnreachable("3"))
    with pytest.raises(SourceUnreachable, match="3"):
        patience().attempt(flaky, Event())
    assert flaky.calls == 3


@pytest.mark.parametrize(
    "error", [WrongBytes("x"), ResourceMissing("x"), AccessRefused("x"), ValueError("x"), SourceSlow("x", retry_after=2)]
)
def test_what_will_not_pass_soon_is_not_repeated(error: Exception) -> None:
    flaky = Flaky(error)
    with pytest.raises(type(error)):
        patience().attempt(flaky, Event())
    assert flaky.calls == 1


def test_a_wait_that_was_asked_for_is_kept() -> None:
    start = monotonic()
    assert patience().attempt(Flaky(SourceSlow("x", retry_after=0.3)), Event()) == "done"
    assert monotonic() - start >= 0.3


def test_nothing_is_repeated_once_the_result_is_of_no_use() -> None:
    stop = Event()
    stop.set()
    flaky = Flaky(SourceUnreachable("1"))
    with pytest.raises(SourceUnreachable):
        patience().attempt(flaky, stop)
    assert flaky.calls == 1


def test_a_rate_is_measured_over_each_window_anew() -> None:
    now = [0.0]
    pace = Pace(100, window=30, clock=lambda: now[0])
    for second, count, slow in [
        (1, 0, False),
        (29, 1, False),
        (30, 3000, False),
        (59, 3001, False),
        (60, 5999, True),
        (90, 9000, False),
    ]:
        now[0] = second
        assert bool(pace.verdict(count)) is slow, second
    now[0] = 121
    assert pace.verdict(9310) == "sends only 10 bytes a second, under the minimum of 100 (min_rate)"


def test_a_minimum_of_zero_accepts_any_rate() -> None:
    now = [0.0]
    pace = Pace(0, clock=lambda: now[0])
    now[0] = 1e6
    assert pace.verdict(0) is None
