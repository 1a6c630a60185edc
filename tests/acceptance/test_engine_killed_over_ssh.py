"""An engine on MariaDB is killed while it changes a real SSH server; the next one finishes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from database import State
from support.bench import Bench, settings_of
from support.engine_process import Engines
from support.sshd import Sshd

A = "/courses/a"
POINTS = ["loading", "staging", "between files", "prepared", "between renames", "before slip", "between drops", "finishing"]

KEPT = {f"same{n}.htm": "same" for n in range(4)}
BEFORE = {"index.htm": "1", "old1.pdf": "x", "old2.pdf": "y", "turn": "file"} | KEPT
AFTER = {"index.htm": "2", "new.pdf": "z", "img/new.png": "p", "turn/in.htm": "folder"} | KEPT


@pytest.fixture
def engines(tmp_path: Path, mariadb_url: str, sshd: Sshd, engines_of: Callable[[Bench], Engines]) -> Iterator[Engines]:
    sites = {name: sshd.fresh_site() for name in ("origin", "area", "production")}
    targets = {name: sshd.settings(root=site.remote_root) for name, site in sites.items()}
    settings = settings_of(tmp_path, targets=targets, queue={"url": mariadb_url, "poll": 0.05})
    for name, site in sites.items():
        # Where the bench looks for what is live.
        (tmp_path / "targets" / name).rmdir()
        (tmp_path / "targets" / name).symlink_to(site.root)
    bench = Bench(tmp_path, settings)
    yield engines_of(bench)
    bench.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_publish_that_was_killed_is_finished_by_the_next_engine(engines: Engines, point: str) -> None:
    bench = engines.bench
    bench.write(A, BEFORE, module_type="course")
    bench.well(A)
    bench.write(A, AFTER, module_type="course")
    task = bench.insert(A)
    engines.kill_at(point)
    engines.run()
    view = bench.desk.show(task)
    assert view.task.state is State.SUCCEEDED
    assert [attempt.outcome for attempt in view.attempts] == ["LOST", "SUCCEEDED"]
    assert bench.live("origin") == bench.live("area") == bench.wanted(A)
    area = bench.target("origin") / ".slipway"
    assert {path.name for path in area.rglob("*") if path.is_file()} == {"slip.xml"}
