"""What is live, what was, and the slips of it."""

import os

import pytest

from database import NewTask, Published, pack, publishing
from packageslip import Packageslip, Resource, write_slip
from support.queue import Queue
from support.record import live, publish, slip


def test_what_is_published_is_current_until_the_next(queue: Queue) -> None:
    assert queue.record.current("staging", "/a") is None
    first = publish(queue, live("/a", b"1"))
    queue.clock.forward(10)
    second = publish(queue, live("/a", b"2", serial=2))
    current = queue.record.current("staging", "/a")
    assert current is not None
    assert (current.version, current.serial, current.task, current.until) == (b"2" * 32, 2, second, None)
    assert (current.module_type, current.title, current.module_state) == ("course", "A title", "published")
    newest, oldest = queue.record.history("/a")
    assert newest == current
    assert (oldest.task, oldest.until) == (first, newest.since)
    assert len(queue.record.history("/a", limit=1)) == 1


def test_what_is_unpublished_is_not_current(queue: Queue) -> None:
    publish(queue, live("/a"))
    publish(queue, Published("staging", "/a", 5))
    assert queue.record.current("staging", "/a") is None
    assert queue.record.slip("staging", "/a") is None
    assert queue.record.slip("staging", "/a", b"v" * 32) is not None
    assert queue.record.history("/a")[0].until is not None


def test_a_recovered_release_is_a_publication_of_its_own(queue: Queue) -> None:
    publish(queue, live("/a", b"1"), live("/b", b"1"), live("/a", b"2", serial=2))
    assert [(each.version, each.until is None) for each in queue.record.history("/a")] == [(b"2" * 32, True), (b"1" * 32, False)]
    assert len(queue.record.history("/b")) == 1


def test_targets_are_apart(queue: Queue) -> None:
    publish(queue, live("/a", b"1"), live("/a", b"2", target="production"))
    assert [(each.target, each.version) for each in queue.record.live("/a")] == [
        ("production", b"2" * 32),
        ("staging", b"1" * 32),
    ]


def test_slips_are_read_back_as_they_were(queue: Queue) -> None:
    publish(queue, live("/a", b"1"))
    publish(queue, live("/a", b"2", serial=2))
    current, old = queue.record.slip("staging", "/a"), queue.record.slip("staging", "/a", b"1" * 32)
    assert current is not None
    assert old is not None
    assert (current.url, current.title, current.serial) == ("/a", "A title", 2)
    assert old.resources[0].digest == b"1" * 32
    assert queue.record.slip("staging", "/a", b"9" * 32) is None
    assert queue.record.slip("staging", "/b") is None


def test_a_big_slip_is_kept_in_parts(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PART", 100)
    files = [(f"{number:03}.pdf", os.urandom(32)) for number in range(50)]
    publish(queue, Published("staging", "/a", 1, b"v" * 32, pack([slip("/a", *files)])))
    found = queue.record.slip("staging", "/a")
    assert found is not None
    assert [(each.path, each.digest) for each in found.resources] == files


def test_modules_below_a_url(queue: Queue) -> None:
    urls = ["/", "/a", "/a/b", "/a/b/c", "/a-b", "/ab", "/a0", "/b"]
    publish(queue, *(live(url) for url in urls), live("/a/x", target="production"), live("/a/gone"))
    publish(queue, Published("staging", "/a/gone", 5))
    assert queue.record.below("staging", "/a") == ["/a/b", "/a/b/c"]
    assert queue.record.below("staging", "/a/b") == ["/a/b/c"]
    assert queue.record.below("staging", "/") == sorted(urls[1:])


def test_all_that_is_live_on_a_target_is_listed_by_url(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.record.READ_AT_ONCE", 2)
    publish(
        queue, *(live(url, b"1") for url in ("/b", "/", "/a/b", "/a-b", "/a")), live("/x", target="production"), live("/gone")
    )
    publish(queue, live("/a", b"2", serial=2), Published("staging", "/gone", 5))
    found = list(queue.record.published("staging"))
    assert [each.url for each in found] == sorted(["/", "/a", "/a-b", "/a/b", "/b"])
    assert [each.version for each in found if each.url == "/a"] == [b"2" * 32]
    assert list(queue.record.published("nowhere")) == []


def test_what_is_no_longer_live_is_listed_with_its_last_publication(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.record.READ_AT_ONCE", 2)
    urls = ("/a", "/b", "/c", "/d", "/e")
    publish(queue, *(live(url, b"1") for url in urls), live("/c", target="production"))
    publish(queue, live("/a", b"2", serial=2), *(Published("staging", url, 5) for url in urls))
    publish(queue, live("/b", b"3", serial=6))
    found = list(queue.record.gone("staging"))
    assert [(each.url, each.version, each.until is None) for each in found] == [
        ("/a", b"2" * 32, False),
        *((url, b"1" * 32, False) for url in ("/c", "/d", "/e")),
    ]
    assert list(queue.record.gone("production")) == []


def test_the_store_keeps_what_the_last_publications_list(queue: Queue) -> None:
    for number, version in enumerate((b"1", b"2", b"3", b"2")):
        publish(queue, live("/a", version, serial=number))
    publish(queue, live("/b", b"4"))
    publish(queue, Published("staging", "/gone", 3))
    assert set(queue.record.keep(1)) == {b"2" * 32, b"4" * 32}
    assert set(queue.record.keep(2)) == {b"2" * 32, b"3" * 32, b"4" * 32}


def test_a_slip_that_is_live_on_two_targets_is_read_once_and_one_that_is_gone_is_passed_over(queue: Queue) -> None:
    publish(queue, live("/a", b"1"), live("/a", b"1", target="mirror"), live("/b", b"2"))
    assert len(list(queue.record.keep(5))) == 2
    queue.sql("DELETE FROM document")
    assert list(queue.record.keep(5)) == []
    assert queue.record.slip("staging", "/a") is None


def test_a_file_without_a_digest_has_nothing_to_keep(queue: Queue) -> None:
    document = write_slip(Packageslip("/a", (Resource("a.htm"),)))
    publish(queue, Published("staging", "/a", 1, b"v" * 32, pack([document])))
    assert list(queue.record.keep(5)) == []


def test_the_store_keeps_what_unfinished_tasks_are_bound_to(queue: Queue) -> None:
    for number, version in enumerate((b"1", b"2", b"3")):
        publish(queue, live("/a", version, serial=number))
    queue.made(NewTask("/a", "STAGING", "DELIVER", target="mirror", version=b"1" * 32))
    assert set(queue.record.keep(1)) == {b"1" * 32, b"3" * 32}


def test_many_publications_are_read_in_steps(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.record.READ_AT_ONCE", 2)
    publish(queue, *(live(f"/{number}", bytes([number + 65])) for number in range(5)))
    assert len(list(queue.record.keep(1))) == 5


def test_a_target_is_adopted_as_it_says_it_is(queue: Queue) -> None:
    publish(queue, live("/known", serial=1), live("/changed", b"1", serial=1))
    found = [
        live("/known", serial=1),
        live("/changed", b"2", serial=9),
        live("/new", b"3", serial=4),
        live("/other", target="mirror"),
    ]
    assert queue.record.adopt("staging", found) == 2
    assert queue.record.adopt("staging", found) == 0
    newest, _ = queue.record.history("/changed")
    assert (newest.serial, newest.task) == (9, None)
    assert queue.record.slip("staging", "/new") is not None
    assert queue.record.current("mirror", "/other") is None
