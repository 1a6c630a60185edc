"""From what a person has in hand to the page about it; and what needs a person, on every page."""

import pytest

from database import Outcome
from support.console import Seat
from support.queue import Queue


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("/courses/physics", "/module/courses/physics"),
        ("courses/physics/", "/module/courses/physics"),
        (
            "https://www.example.edu/courses/physics/week-1/notes%20a.pdf?x=1#top",
            "/module/courses/physics?page=week-1/notes%20a.pdf",
        ),
        ("/courses/physics/index.html#exercises", "/module/courses/physics?page=index.html"),
        ("/courses/unheard-of", "/module/courses/unheard-of"),
        ("//elsewhere.example/x", "/module/elsewhere.example/x"),
        ("http://[", "/module/"),
        ("http://www.example.edu?q=/x", "/module/"),
        ("/courses/physics" + "/a" * 9_000, "/module/courses/physics?page=" + "a/" * 512),
        ("17", "/task/17"),
        ("#17", "/task/17"),
    ],
)
def test_a_path_an_address_or_a_number_leads_to_its_page(sqlite_seat: Seat, sqlite_queue: Queue, typed: str, place: str) -> None:
    sqlite_queue.ready("/courses/physics")
    sqlite_queue.ready("/")
    assert sqlite_seat.get("/find", 303, params={"q": typed}).headers["location"] == place


def test_every_page_says_what_needs_a_person(seat: Seat, queue: Queue) -> None:
    assert "What needs a person" not in seat.get("/trends").text
    queue.ready("/a")
    queue.ready("/b")
    engine = queue.engine()
    first, second = queue.claim(engine)
    queue.end(engine, first, Outcome.UNREACHABLE, "no route to host", error="TargetUnreachable", breaker="staging")
    queue.end(engine, second, Outcome.HELD, "too many drops")
    for page in ("/", "/queue", "/trends", "/module/a"):
        said = seat.text(page)
        assert "1 held" in said
        assert "staging does not answer" in said
    assert "is paused" not in seat.text("/trends")
    queue.pause("ARCHIVE")
    assert "ARCHIVE is paused" in seat.text("/trends")
