"""Small forms of the benchmarks: whoever takes part must do the whole work. What the ratios are is printed, and decides nothing."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from benchmarks.empty_tasks import CELERY, row_8
from benchmarks.equal import Unequal, check_equal
from benchmarks.first_publish import row_1
from benchmarks.memory import many_resources
from benchmarks.one_change import row_4
from benchmarks.place import Place
from benchmarks.results import Result
from support.mariadb import Server
from support.sshd import Sshd, missing

Say = Callable[[Iterable[Result]], None]


@pytest.fixture
def place(tmp_path: Path, sshd: Sshd, mariadb_server: Server) -> Place:
    """The tests' own servers, one round of everything, engines without a daemon."""
    lacking = [name for name in ("rsync", "rclone", "lftp", "redis-server") if shutil.which(name) is None]
    if lacking or not CELERY.exists():
        missing(f"not here: {', '.join(lacking) or 'Celery'}; make peers")
    return Place(tmp_path, sshd, mariadb_server, rounds=1, peers=("rsync", "rclone", "lftp"), attended=False)


def test_everybody_publishes_a_site_for_the_first_time(place: Place, ratios: Say) -> None:
    results = row_1(place, modules=4, files=200)
    assert [result.peer.split()[0] for result in results] == ["rsync"] * 3 + ["rclone"] * 2 + ["lftp"] * 2
    ratios(results)


def test_one_change_in_sites_of_two_sizes(place: Place, ratios: Say) -> None:
    results = row_4(place, sizes=(1, 3), each=30)
    assert [result.peer for result in results] == ["the same in 1 modules", "rsync -a of the whole tree"]
    assert all(result.ours_s > 0 and result.peer_s > 0 for result in results)
    ratios(results)


def test_empty_tasks_beside_celery(place: Place, ratios: Say) -> None:
    [result] = row_8(place, tasks=200)
    assert result.ours_s > 0
    assert result.peer_s > 0
    ratios([result])


def test_memory_is_watched(place: Place, ratios: Say) -> None:
    [result] = many_resources(place, 500)
    assert result.ours_s > 1, "an engine has more than a megabyte"
    ratios([result])


def test_an_unequal_tree_is_no_result(tmp_path: Path) -> None:
    for folder in ("source", "target"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_text("same size")
    check_equal(tmp_path / "source", tmp_path / "target", "nobody")
    (tmp_path / "target" / "a").write_text("SAME SIZE")
    with pytest.raises(Unequal, match="nobody: 1 files differ, such as"):
        check_equal(tmp_path / "source", tmp_path / "target", "nobody")
    (tmp_path / "target" / "b").touch()
    with pytest.raises(Unequal, match="nobody: 1 files differ"):
        check_equal(tmp_path / "source", tmp_path / "target", "nobody")
