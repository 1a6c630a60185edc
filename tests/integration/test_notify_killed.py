"""An engine is killed while it publishes: what became visible is told all the same, by whoever finishes it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from database import State
from support.bench import Bench, settings_of
from support.engine_process import Engines
from support.purge_server import PurgeServer

A = "/courses/a"


@pytest.fixture
def told(tmp_path: Path, purge_server: PurgeServer, engines_of: Callable[[Bench], Engines]) -> Iterator[Engines]:
    """Engines of an installation whose origin has a CDN and a cache."""
    (tmp_path / "token").write_text("token\n")
    staging = settings_of(tmp_path).environments["STAGING"].model_dump()
    cdn = {"kind": "fastly", "api": purge_server.url, "service": "S", "token": {"file": str(tmp_path / "token")}}
    settings = settings_of(
        tmp_path,
        environments={"STAGING": {**staging, "site": purge_server.url, "notices": ["cdn", "cache"]}},
        notices={"cdn": cdn, "cache": {"kind": "purge"}},
    )
    bench = Bench(tmp_path, settings)
    yield engines_of(bench)
    bench.close()


@pytest.mark.parametrize("point", ["between renames", "finishing"])
def test_a_publish_that_was_killed_is_told_by_the_next_engine(told: Engines, purge_server: PurgeServer, point: str) -> None:
    bench = told.bench
    bench.write(A, {"index.htm": "1", "same.htm": "s", "old.pdf": "x"}, module_type="course")
    bench.well(A)
    purge_server.asked.clear()
    bench.write(A, {"index.htm": "2", "same.htm": "s", "new.pdf": "y"}, module_type="course")
    task = bench.insert(A)
    told.kill_at(point)
    assert not purge_server.asked, "nothing is told before it is recorded"
    told.run()
    assert bench.desk.show(task).task.state is State.SUCCEEDED
    assert purge_server.purged_keys() == ["a"]
    changed = {A, f"{A}/", f"{A}/index.htm", f"{A}/old.pdf", f"{A}/new.pdf", f"{A}/packageslip.xml"}
    assert changed <= set(purge_server.urls()) <= changed | {f"{A}/same.htm"}
