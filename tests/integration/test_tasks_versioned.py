"""Tasks on a target in the versioned layout: publish, promotion, verify, rollback without a byte, unpublish."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from database import State
from support.bench import Bench, settings_of
from targets import Present
from tasks.commit import Intent

A = "/courses/a"
OLD = {"index.htm": "one", "notes.pdf": "first notes"}
NEW = {"index.htm": "two", "new.htm": "new", "notes.pdf": "first notes"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Two targets on which courses are versioned, and files stay for a while where they are not."""
    targets = settings_of(tmp_path).model_dump()["targets"]
    for name in ("origin", "production"):
        targets[name] |= {"layout": "versioned", "versioned_modules": {"types": ["course"]}, "delete_grace": 900}
    made = Bench(tmp_path, settings_of(tmp_path, targets=targets))
    yield made
    made.close()


@pytest.fixture
def twice(bench: Bench) -> Bench:
    """The course was published twice: OLD, then NEW."""
    for files in (OLD, NEW):
        bench.write(A, files, module_type="course", title=files["index.htm"])
        bench.well(A)
    return bench


def texts(bench: Bench, target: str = "origin") -> dict[str, str]:
    folder = bench.target(target) / "courses/a"
    return {path.name: path.read_text() for path in folder.iterdir() if path.name != "packageslip.xml"}


def releases(bench: Bench, target: str = "origin") -> list[Path]:
    return sorted(bench.target(target).glob(".slipway-releases/*/*"))


def test_a_course_is_a_link_and_a_department_a_folder(twice: Bench) -> None:
    twice.write("/courses", {"index.htm": "all"}, module_type="department")
    twice.well("/courses")
    assert twice.target("origin").joinpath("courses/a").is_symlink()
    assert texts(twice) == NEW
    one, two = releases(twice)
    assert (one / "tree/notes.pdf").stat().st_ino == (two / "tree/notes.pdf").stat().st_ino


def test_going_back_needs_neither_source_nor_store(twice: Bench) -> None:
    before = releases(twice)
    shutil.rmtree(twice.site("/"))
    shutil.rmtree(twice.root / "state" / "store")
    view = twice.well(A, action="ROLLBACK")
    assert view.task.reason is not None
    assert view.task.reason.endswith("live on origin: a release that still stood there, in which 2 files differ")
    assert texts(twice) == OLD
    assert releases(twice) == before


def test_a_publish_of_what_still_stands_moves_nothing_either(twice: Bench) -> None:
    twice.write(A, OLD, module_type="course", title="one")
    view = twice.well(A)
    assert "still stood there" in str(view.task.reason)
    assert len(releases(twice)) == 2


def test_going_back_is_guarded_like_any_publish(twice: Bench) -> None:
    many = {**NEW, **{f"page{number}.htm": "x" for number in range(60)}}
    twice.write(A, many, module_type="course", title="many")
    twice.well(A)
    view = twice.do(A, action="ROLLBACK")
    assert view.task.state is State.HELD
    assert texts(twice) == many


def test_what_is_versioned_is_promoted_and_verified(twice: Bench) -> None:
    twice.well(A, "PRODUCTION")
    assert texts(twice, "production") == NEW
    assert "as their slip says" in str(twice.well(A, action="VERIFY").task.reason)
    page = releases(twice)[-1] / "tree/index.htm"
    page.unlink()
    page.write_text("damaged")
    assert twice.do(A, action="VERIFY").task.state is State.FAILED
    twice.well(A, action="VERIFY", repair=True)
    assert texts(twice) == NEW
    assert len(releases(twice)) == 2


def test_an_unpublish_leaves_nothing(twice: Bench) -> None:
    twice.well(A, action="UNPUBLISH")
    assert releases(twice) == []
    assert not twice.target("origin").joinpath("courses/a").is_symlink()


def test_damage_and_full_puts_are_put(bench: Bench) -> None:
    from packageslip import files_digest
    from tasks.change import stands

    slip = bench.write(A, OLD, module_type="course")
    digest = files_digest(slip)
    assert digest is not None
    present = Present(A, "origin", None, held=frozenset({digest}))
    assert stands(present, slip, Intent(slip))
    assert not stands(present, slip, Intent(slip, full=True))
    assert not stands(present, slip, Intent(slip, damaged=["index.htm"]))
