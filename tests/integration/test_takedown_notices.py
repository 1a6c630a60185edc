"""A takedown and the caches: every copy is purged, whether it may be served as stale or not, and of a mirror at the mirror's URLs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from database import Action, NewTask, State
from support.bench import Bench, settings_of
from support.mirrored_site import StartSite
from support.purge_server import PurgeServer

A = "/courses/a"
BELOW = "/cache/courses/a"
SITE = "https://www.example.edu"


def notices(server: PurgeServer, folder: Path) -> dict[str, Any]:
    """A CDN and a cache that only mark as stale, and a webhook."""
    (folder / "token").write_text("word\n")
    token = {"file": str(folder / "token")}
    return {
        "cdn": {"kind": "fastly", "api": f"{server.url}/api", "service": "S", "token": token, "soft": True},
        "cache": {"kind": "purge", "url": f"{server.url}/cache", "soft": True},
        "hook": {"kind": "webhook", "url": f"{server.url}/hook", "secret": token},
    }


@pytest.fixture
def told(tmp_path: Path, purge_server: PurgeServer) -> Iterator[Bench]:
    """A course on both origins; the caches are those of PRODUCTION."""
    plain = settings_of(tmp_path).environments["PRODUCTION"].model_dump()
    production = {**plain, "site": SITE, "notices": ["cdn", "cache", "hook"]}
    staging = settings_of(tmp_path).environments["STAGING"].model_dump()
    made = Bench(
        tmp_path,
        settings_of(
            tmp_path,
            retry={"base": 0.05, "breaker": 0.05, "cap": 0.2},
            environments={"STAGING": staging, "PRODUCTION": production},
            notices=notices(purge_server, tmp_path),
        ),
    )
    made.write(A, {"index.htm": "one", "l.pdf": "pdf"}, module_type="course")
    made.well(A)
    made.well(A, "PRODUCTION")
    yield made
    made.close()


def take_down(bench: Bench, url: str = A) -> None:
    task = bench.desk.insert(NewTask(url, "*", Action.TAKEDOWN))
    for environment in (*bench.settings.environments, *bench.settings.environments):
        bench.run(environment)
    bench.intake.settle_takedowns()
    assert bench.desk.show(task).task.state is State.SUCCEEDED, bench.desk.show(task).task.reason


def soft(server: PurgeServer) -> list[str]:
    return [asked.path for asked in server.asked if "Fastly-Soft-Purge" in asked.headers]


def test_every_copy_is_dropped_also_by_caches_that_else_mark_as_stale(told: Bench, purge_server: PurgeServer) -> None:
    assert soft(purge_server)
    purge_server.asked.clear()
    take_down(told)
    assert soft(purge_server) == []
    assert purge_server.purged_keys() == ["a"]
    names = ("", "/", "/index.htm", "/l.pdf", "/packageslip.xml")
    assert purge_server.urls() == [f"{BELOW}{name}" for name in names]
    (event,) = purge_server.events()
    assert (event["event"], event["url"], event["version"]) == ("unpublished", A, None)


def test_caches_are_told_again_where_it_was_gone_already(told: Bench, purge_server: PurgeServer) -> None:
    take_down(told)
    purge_server.asked.clear()
    take_down(told)
    assert f"{BELOW}/l.pdf" in purge_server.urls()
    assert soft(purge_server) == []


def test_a_cache_that_does_not_answer_is_asked_until_it_does(told: Bench, purge_server: PurgeServer) -> None:
    purge_server.stop()
    take_down(told)
    purge_server.start()
    purge_server.asked.clear()
    told.database.change(lambda c: c.exec_driver_sql("UPDATE publication_task_queue SET run_after = created_at"))
    told.database.change(lambda c: c.exec_driver_sql("UPDATE target SET probe_at = since"))
    told.run("PRODUCTION")
    assert f"{BELOW}/l.pdf" in purge_server.urls()
    assert "a" in purge_server.purged_keys()


def test_what_is_cut_from_a_mirror_is_purged_where_the_mirror_has_it(
    start_mirrored_site: StartSite, purge_server: PurgeServer
) -> None:
    cache = {"kind": "purge", "url": f"{purge_server.url}/cache", "soft": True}
    site = start_mirrored_site(notices={"cache": cache})
    site.bench.well("/", "MIRROR")
    gone = {path.relative_to(site.mirror) for path in (site.mirror / "courses/physics/8-02").rglob("*") if path.is_file()}
    purge_server.asked.clear()
    take_down(site.bench, "/courses/physics/8-02")
    assert gone
    assert {f"/cache/{path}" for path in gone} <= set(purge_server.urls())
    assert not [path for path in purge_server.urls() if path.count("8-02") > 1]
    assert soft(purge_server) == []


def test_a_paused_environment_purges_at_once(told: Bench, purge_server: PurgeServer) -> None:
    purge_server.asked.clear()
    told.desk.pause("PRODUCTION")
    take_down(told)
    assert told.live("production") == {}
    assert f"{BELOW}/l.pdf" in purge_server.urls()
    assert "a" in purge_server.purged_keys()
    assert len(purge_server.events()) == 1
