"""ROLLBACK: an earlier publication goes live again, by the way of every publication."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from database import Record, State
from support.bench import Bench, settings_of

A, B = "/courses/a", "/courses/b"
OLD = {"index.htm": "one", "notes.pdf": "first notes"}
NEW = {"index.htm": "two", "new.htm": "new", "notes.pdf": "first notes"}


@pytest.fixture
def twice(bench: Bench) -> Bench:
    """The module was published twice: OLD, then NEW."""
    for files in (OLD, NEW):
        bench.write(A, files, module_type="course", title=files["index.htm"])
        bench.well(A)
    return bench


def publications(bench: Bench, target: str = "origin") -> list[tuple[int, str | None]]:
    """Id and title, newest first."""
    return [(one.id, one.title) for one in Record(bench.database).history(A, target=target)]


def texts(bench: Bench, target: str = "origin") -> dict[str, str]:
    folder = bench.target(target) / "courses/a"
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file() and path.name != "packageslip.xml"}


def test_the_publication_before_the_live_one_goes_live_again_without_the_source(twice: Bench) -> None:
    shutil.rmtree(twice.site("/"))
    view = twice.well(A, action="ROLLBACK")
    assert texts(twice) == OLD
    assert view.task.reason is not None
    assert view.task.reason.startswith("back to version ")
    assert view.task.reason.endswith("live on origin: 1 files put, 1 dropped, 1 kept")
    assert [title for _, title in publications(twice)] == ["one", "two", "one"]


def test_the_holding_areas_get_that_version(twice: Bench) -> None:
    view = twice.well(A, action="ROLLBACK")
    [delivery] = view.children
    assert (delivery.action, delivery.target, delivery.version) == ("DELIVER", "area", view.task.version)
    assert texts(twice, "area") == OLD


def test_it_can_go_back_and_forth_by_id_and_by_version(twice: Bench) -> None:
    ids = {title: number for number, title in publications(twice)}
    twice.well(A, action="ROLLBACK", to=ids["one"])
    assert texts(twice) == OLD
    version = Record(twice.database).history(A, target="origin")[1].version
    assert version is not None
    twice.well(A, action="ROLLBACK", version=version.hex()[:8])
    assert texts(twice) == NEW


def test_going_back_to_what_is_live_moves_nothing(twice: Bench) -> None:
    before = publications(twice)
    view = twice.well(A, action="ROLLBACK", to=before[0][0])
    assert "nothing had to move" in str(view.task.reason)
    assert publications(twice) == before


def test_what_was_unpublished_comes_back(twice: Bench) -> None:
    twice.well(A, action="UNPUBLISH")
    assert not twice.live("origin")
    twice.well(A, action="ROLLBACK")
    assert texts(twice) == NEW


def test_the_guard_holds_a_rollback_that_drops_too_much(bench: Bench) -> None:
    bench.write(A, {"index.htm": "one"})
    bench.well(A)
    bench.write(A, {"index.htm": "one"} | {f"{n}.htm": str(n) for n in range(30)})
    bench.well(A)
    view = bench.do(A, action="ROLLBACK")
    assert view.task.state is State.HELD
    assert view.plan is not None
    assert len(texts(bench)) == 31
    bench.desk.approve(view.task.id, view.plan.digest)
    bench.run()
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert texts(bench) == {"index.htm": "one"}


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"to": 4711}, "4711 is no publication of /courses/a on origin"),
        ({"version": "00000000"}, "00000000 is no version of /courses/a on origin"),
        ({"to": 1, "version": "ab"}, "takes 'to' or 'version', not both"),
        ({"version": "xyz"}, "'version' must be the first hex digits of a version"),
        ({"to": True}, "'to' must be a publication's id"),
    ],
)
def test_a_row_that_names_nothing_is_rejected_with_a_sentence(twice: Bench, parameters: dict[str, Any], reason: str) -> None:
    view = twice.do(A, action="ROLLBACK", **parameters)
    assert view.task.state is State.REJECTED
    assert reason in str(view.task.reason)


def test_a_publication_of_another_target_is_none_of_this_one(twice: Bench) -> None:
    [(area, _), *_] = publications(twice, "area")
    assert twice.do(A, action="ROLLBACK", to=area).task.state is State.REJECTED


def test_with_one_publication_there_is_nothing_to_go_back_to(bench: Bench) -> None:
    bench.write(A, OLD)
    bench.well(A)
    view = bench.do(A, action="ROLLBACK")
    assert view.task.state is State.REJECTED
    assert "knows no earlier publication" in str(view.task.reason)


def test_bytes_that_the_store_lost_come_from_another_target_that_has_them(twice: Bench) -> None:
    twice.well(A, "PRODUCTION")
    twice.well(A, action="ROLLBACK")
    shutil.rmtree(twice.root / "state" / "store")
    shutil.rmtree(twice.site("/"))
    # Production still has what staging went back from.
    newer = next(number for number, title in publications(twice) if title == "two")
    view = twice.well(A, action="ROLLBACK", to=newer)
    assert texts(twice) == NEW
    assert view.attempts[-1].summary["copied"] == 2


def test_bytes_that_nobody_has_end_it_with_a_sentence(twice: Bench) -> None:
    shutil.rmtree(twice.root / "state" / "store")
    view = twice.do(A, action="ROLLBACK")
    assert view.task.state is State.FAILED
    assert "neither in the content store nor on a target nor at cms any more" in str(view.task.reason)
    assert texts(twice) == NEW


def test_production_goes_back_by_itself(twice: Bench) -> None:
    twice.well(A, "PRODUCTION")
    twice.write(A, {"index.htm": "three"} | OLD | {"index.htm": "three"}, title="three")
    twice.well(A)
    twice.well(A, "PRODUCTION")
    twice.well(A, "PRODUCTION", "ROLLBACK")
    assert texts(twice, "production") == NEW
    assert texts(twice)["index.htm"] == "three"


def test_the_newest_row_wins_over_a_rollback(twice: Bench) -> None:
    back = twice.insert(A, action="ROLLBACK")
    twice.well(A)
    assert twice.desk.show(back).task.state is State.SUPERSEDED
    assert texts(twice) == NEW


def test_a_dry_run_says_what_would_change(twice: Bench) -> None:
    view = twice.well(A, action="ROLLBACK", dry_run=True)
    assert str(view.task.reason).startswith("dry run: 1 files to put, 1 to drop, 1 to keep")
    assert texts(twice) == NEW


def test_an_attempt_that_was_cut_off_does_not_go_back_twice(bench: Bench) -> None:
    for text in ("zero", "one", "two"):
        bench.write(A, {"index.htm": text}, title=text)
        bench.well(A)

    def reached(point: str) -> None:
        if point == "switched":
            bench.reached = lambda _: None
            raise OSError("cut")

    bench.reached = reached
    view = bench.do(A, action="ROLLBACK")
    assert view.task.state is State.READY
    assert texts(bench) == {"index.htm": "one"}
    bench.database.change(lambda c: c.exec_driver_sql("UPDATE publication_task_queue SET run_after = created_at"))
    bench.run()
    assert bench.desk.show(view.task.id).task.state is State.SUCCEEDED
    assert texts(bench) == {"index.htm": "one"}


def test_dependents_are_published_after_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, settings_of(tmp_path))
    bench.write("/courses/physics", {"index.htm": "all courses"})
    for text in ("one", "two"):
        bench.write(A, {"index.htm": text}, linked_departments=("8",))
        bench.well(A)
    view = bench.well(A, action="ROLLBACK")
    assert [(child.action, child.url) for child in view.children] == [("PUBLISH", "/courses/physics")]
    bench.close()


def test_a_group_goes_back_on_each_member_and_one_that_was_away_follows(tmp_path: Path) -> None:
    table = settings_of(tmp_path).model_dump(mode="json", exclude_unset=True)
    for name in ("web1", "web2"):
        (tmp_path / "targets" / name).mkdir(parents=True)
        table["targets"][name] = {"kind": "local", "root": str(tmp_path / "targets" / name)}
    table["targets"]["both"] = {"kind": "group", "members": ["web1", "web2"], "quorum": 1}
    table["environments"]["STAGING"]["origin"] = "both"
    table["environments"]["PRODUCTION"]["source"] = "target:both"
    bench = Bench(tmp_path, type(settings_of(tmp_path)).model_validate(table))
    for files in (OLD, NEW):
        bench.write(A, files)
        bench.well(A)
    shutil.move(bench.target("web2"), bench.root / "away")
    assert "web2 did not answer" in str(bench.well(A, action="ROLLBACK").task.reason)
    assert texts(bench, "web1") == OLD
    shutil.move(bench.root / "away", bench.target("web2"))
    assert texts(bench, "web2") == NEW
    bench.well(A, action="VERIFY", repair=True)
    assert texts(bench, "web1") == texts(bench, "web2") == OLD
    bench.close()


@pytest.mark.parametrize("left", ["a.pdf", "b.pdf"])
def test_bytes_that_two_files_had_come_from_whichever_of_them_the_source_still_has(bench: Bench, left: str) -> None:
    stay = {"index.htm": "one", "2.htm": "two", "3.htm": "three"}
    for files in ({**stay, "a.pdf": "the same", "b.pdf": "the same"}, stay):
        bench.write(A, files)
        bench.well(A)
    shutil.rmtree(bench.root / "state" / "store")
    shutil.rmtree(bench.target("area"))
    bench.target("area").mkdir()
    slip = bench.write(A, {**stay, left: "the same"})
    bench.put_slip(replace(slip, resources=tuple(replace(each, digest=None) for each in slip.resources)))
    bench.well(A, action="ROLLBACK")
    assert texts(bench) == {**stay, "a.pdf": "the same", "b.pdf": "the same"}
