"""The console's benchmark in its small form: every page of it is answered over a crowd. How fast it is, the program says."""

from pathlib import Path

from benchmarks.console import PAGES, crowded, timings
from support.mariadb import Server


def test_every_page_is_answered_over_a_crowd(mariadb_server: Server, tmp_path: Path) -> None:
    name = crowded(mariadb_server, 9000)
    found = list(timings(mariadb_server.url(name), tmp_path, times=2))
    assert [timing.path for timing in found] == list(PAGES)
    mariadb_server.execute(f"DROP DATABASE {name}")
