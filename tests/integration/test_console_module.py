"""The page of one module: what is live where, what differs, what there was, and the way back."""

from database import Published, pack
from packageslip import Packageslip, Resource, on_target, slip_pieces
from support.console import Seat, words
from support.queue import Queue
from support.record import live, publish


def put(target: str, serial: int, *files: tuple[str, bytes, int]) -> Published:
    resources = tuple(Resource(path, digest=digest * 32, size=size) for path, digest, size in files)
    slip = on_target(Packageslip("/a", resources, title="Physics"), serial=serial, queue="0" * 32)
    return Published(target, "/a", serial, slip.version, pack(slip_pieces(slip)), "course", "Physics", "published")


def three(queue: Queue) -> list[int]:
    """Two publications on staging, one on production; their ids, oldest first."""
    publish(queue, put("production", 1, ("a.htm", b"1", 3)))
    publish(queue, put("staging", 2, ("a.htm", b"1", 3)))
    publish(queue, put("staging", 3, ("a.htm", b"2", 30), ("new.htm", b"6", 7)))
    return [one.id for one in reversed(queue.record.history("/a"))]


def test_it_says_what_is_live_where_and_what_differs(seat: Seat, queue: Queue) -> None:
    three(queue)
    said = seat.text("/module/a")
    assert "Physics /a" in said
    assert "STAGING live staging for" in said
    assert "ARCHIVE not live archive" in said
    assert "STAGING and PRODUCTION What publishing to PRODUCTION would change there" in said
    assert "1 file added 7 B" in said
    assert "1 file changed 30 B" in said


def test_why_it_is_not_live_stands_on_top(seat: Seat, queue: Queue) -> None:
    task = queue.ready("/a")
    said = seat.text("/module/a")
    assert f"task {task} waits for an engine of STAGING: none is running" in said
    queue.desk.hold([task])
    assert "is on hold" in seat.text("/module/a")
    assert "Is the address right?" in seat.text("/module/nowhere")


def test_a_page_that_is_missed_is_named_where_what_is_live_has_it_not(seat: Seat, queue: Queue) -> None:
    three(queue)
    page = seat.get("/module/a?page=new.htm").text
    assert "what is live on production has no new.htm" in words(page)
    assert "what is live on staging has no" not in words(page)
    assert "/module/a?page=new.htm" in page.partition('hx-get="')[2].partition('"')[0], "a renewal must not lose it"


def test_any_two_publications_are_compared_by_the_address(seat: Seat, queue: Queue) -> None:
    production, old, new = three(queue)
    said = seat.text(f"/module/a?before={old}&after={new}")
    assert f"From publication {old} (staging) to publication {new} (staging)" in said
    assert "added new.htm 7 B" in said
    assert "changed a.htm 3 B 30 B" in said
    assert "Both have the same files" in seat.text(f"/module/a?before={production}&after={old}")
    assert "From nothing to publication" in seat.text(f"/module/a?before=&after={old}")
    page = seat.get(f"/module/a?before={old}&after={new}").text
    assert f'name="before" value="{old}" aria-label="From publication {old}" checked' in page
    seat.get("/module/a?after=99", 404)
    seat.get(f"/module/b?after={old}", 404)
    seat.get("/module/a?after=x", 404)


def test_a_rollback_is_shown_first_and_then_asked_for(seat: Seat, queue: Queue) -> None:
    _, old, new = three(queue)
    page = seat.get(f"/module/a?back={old}").text
    assert f"Back to publication {old} on staging?" in words(page)
    assert "removed new.htm 7 B" in words(page)
    assert f'name="live" value="{new}"' in page
    said = seat.done("/module/a/rollback", to=str(old), live=str(new), note="the figures are wrong")
    assert f"takes /a back to publication {old}" in said
    queue.intake.accept(queue.settings)
    [task] = queue.desk.find(action="ROLLBACK")
    assert (task.environment, task.requested_by, task.note) == ("STAGING", "ann", "the figures are wrong")
    assert task.version == queue.record.publication(old).version  # type: ignore[union-attr]


def test_a_rollback_is_refused_when_something_else_went_live(seat: Seat, queue: Queue) -> None:
    _, old, new = three(queue)
    publish(queue, put("staging", 4, ("a.htm", b"9", 1)))
    assert "was published on staging meanwhile" in words(seat.post("/module/a/rollback", 409, to=str(old), live=str(new)).text)
    assert queue.desk.find(action="ROLLBACK") == []


def test_a_holding_area_is_not_rolled_back_by_itself(seat: Seat, queue: Queue) -> None:
    publish(queue, live("/a", target="mirror"))
    [one] = queue.record.history("/a")
    assert "no environment's origin" in words(seat.post("/module/a/rollback", 409, to=str(one.id), live=str(one.id)).text)
    assert "is a holding area" in seat.text(f"/module/a?back={one.id}")


def test_only_who_may_is_offered_the_way_back_and_the_takedown(seat: Seat, queue: Queue) -> None:
    _, old, new = three(queue)
    viewer, operator = seat.as_("viewer"), seat.as_("operator")
    assert "An operator rolls back." in viewer.text(f"/module/a?back={old}")
    viewer.post("/module/a/rollback", 403, to=str(old), live=str(new))
    assert "/takedown" not in operator.get("/module/a").text
    operator.post("/module/a/takedown", 403, note="no")


def test_an_approver_takes_down_and_lifts(seat: Seat, queue: Queue) -> None:
    three(queue)
    assert "says why" in words(seat.post("/module/a/takedown", 400).text)
    assert "takes /a down everywhere" in seat.done("/module/a/takedown", note="a claim of copyright")
    queue.intake.accept(queue.settings)
    said = seat.text("/module/a")
    assert "was taken down" in said
    assert "a claim of copyright" in said
    assert "lifts the takedown" in seat.done("/module/a/lift", note="it was settled")
    queue.intake.accept(queue.settings)
    assert "was taken down" not in seat.text("/module/a")


def test_an_address_that_is_none_is_not_found(sqlite_seat: Seat) -> None:
    sqlite_seat.get("/module/a/../b%2F..", 404)
    sqlite_seat.get("/modulex", 404)


def test_a_slip_that_is_not_kept_is_said(seat: Seat, queue: Queue) -> None:
    _, old, new = three(queue)
    queue.sql("DELETE FROM document")
    assert "nobody can say what differs" in seat.text(f"/module/a?before={old}&after={new}")
    assert "publish the present version instead" in seat.text(f"/module/a?back={old}")
