"""What benchmarks came to: figured out right, kept row by row, and on the page as it is in the file."""

import random
from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.names import COURSES, courses
from benchmarks.results import Result, keep, kept
from benchmarks.tree import WARM, change, grow
from packageslip import read_slip
from store import Store


def test_a_ratio_is_the_median_of_pairs_that_ran_together() -> None:
    result = Result.of(1, "work", [1.0, 4.0, 3.0], "peer", [2.0, 2.0, 3.0], 1.0)
    assert (result.ratio, result.ratio_min, result.ratio_max, result.rounds) == (1.0, 0.5, 2.0, 3)
    assert (result.ours_s, result.peer_s, result.met) == (3.0, 2.0, True)


@pytest.mark.parametrize(
    ("ratio", "least", "met"), [(1.1, False, False), (0.9, False, True), (1.1, True, True), (0.9, True, False)]
)
def test_a_bound_is_the_most_or_the_least(ratio: float, *, least: bool, met: bool) -> None:
    assert Result.of(8, "work", [ratio], "peer", [1.0], 1.0, least=least).met is met


def test_a_row_that_is_not_run_keeps_its_result(tmp_path: Path) -> None:
    place = tmp_path / "results.json"
    keep([Result.of(row, "work", [1.0], peer, [2.0], 1.0) for row, peer in ((4, "a"), (1, "a"), (1, "b"))], place)
    keep([Result.of(1, "work", [5.0], "b", [2.0], 1.0)], place)
    assert [(each.row, each.peer, each.ours_s) for each in kept(place)] == [(1, "a", 1.0), (1, "b", 5.0), (4, "a", 1.0)]


def test_the_page_has_what_the_file_has() -> None:
    assert page.table(kept()) in page.PAGE.read_text()


def test_a_site_has_the_wanted_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_REAL_DATA", raising=False)
    assert len({course.url for course in courses(COURSES)}) == COURSES
    store = Store(tmp_path / "store")
    tree = grow(tmp_path / "site", 7, 100, store=store)
    assert tree.files == 100
    listed = [read_slip((tree.folder / url[1:] / "packageslip.xml").read_bytes(), url, url=url) for url in tree.urls]
    found = {path for path in tree.folder.rglob("*") if path.is_file() and "packageslip" not in path.name}
    said = {tree.folder / slip.url[1:] / each.path: each for slip in listed for each in slip.resources}
    assert found - {tree.folder / url[1:] / "index.htm" for url in WARM} == said.keys()
    chosen = random.Random(1).choice(sorted(said))
    assert said[chosen].digest is not None
    assert store.path(said[chosen].digest or b"").read_bytes() == chosen.read_bytes()


def test_an_editor_changes_one_file(tmp_path: Path) -> None:
    tree = grow(tmp_path / "site", 2, 20)
    before = read_slip((tree.folder / tree.urls[1][1:] / "packageslip.xml").read_bytes(), "before")
    path = change(tree, 1, 7)
    after = read_slip((tree.folder / tree.urls[1][1:] / "packageslip.xml").read_bytes(), "after")
    changed = [new.path for old, new in zip(before.resources, after.resources, strict=True) if old != new]
    assert [f"{tree.urls[1][1:]}/{name}" for name in changed] == [str(path)]
