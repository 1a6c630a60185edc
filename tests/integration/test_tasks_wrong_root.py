"""A target whose root was changed or whose disk is mounted elsewhere is not taken for one that is new."""

from database import State
from support.bench import Bench
from support.deployment import tree

A, B = "/courses/a", "/courses/b"
SAYS = f"nothing of Slipway's is there, but modules are live there by the record, such as {A}"


def moved(bench: Bench) -> None:
    """The module is live, and another folder is mounted where it lay."""
    bench.write(A, {"index.htm": "one", "b.htm": "two"})
    bench.well(A)
    bench.target("origin").rename(bench.root / "elsewhere")
    bench.target("origin").mkdir()


def test_nothing_is_published_to_a_wrong_root(bench: Bench) -> None:
    moved(bench)
    bench.write(B, {"index.htm": "another"})
    for url in (A, B):
        view = bench.do(url)
        assert view.task.state is State.FAILED
        assert SAYS in str(view.task.reason)
    assert tree(bench.target("origin")) == {}
    assert list(bench.target("origin").iterdir()) == []


def test_an_unpublish_is_not_taken_for_done(bench: Bench) -> None:
    moved(bench)
    assert bench.do(A, action="UNPUBLISH").task.state is State.FAILED
    assert bench.workshop("STAGING").record.current("origin", A) is not None
    bench.target("origin").rmdir()
    (bench.root / "elsewhere").rename(bench.target("origin"))
    bench.well(A, action="UNPUBLISH")
    assert bench.live("origin") == {}


def test_a_verify_says_so_and_repairs_nothing_there(bench: Bench) -> None:
    moved(bench)
    view = bench.do(A, action="VERIFY", repair=True)
    assert view.task.state is State.FAILED
    assert "look whether its disk is mounted" in str(view.task.reason)
    assert list(bench.target("origin").iterdir()) == []


def test_a_target_that_was_emptied_is_filled_again_by_a_persons_word(bench: Bench) -> None:
    moved(bench)
    assert bench.do(A).task.state is State.FAILED
    assert bench.workshop("STAGING").open_target("origin").adopt(bench.database.queue_id) is None
    bench.well(A)
    assert bench.live("origin") == bench.wanted(A)


def test_a_queue_that_remembers_nothing_makes_the_first_area(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    assert bench.live("origin") == bench.wanted(A)
