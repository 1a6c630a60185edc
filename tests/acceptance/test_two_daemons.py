"""Two daemons on one database: nothing twice, nothing lost, nobody in one module beside another."""

import itertools
import random
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from packageslip import build_slip, write_slip
from support.deployment import END_STATES, Deploy, Deployment, digests, tree

MODULES = 50
TASKS = 500
DEPARTMENTS = 5

Rows = Mapping[int, Mapping[str, Any]]
Events = list[Mapping[str, Any]]


@pytest.fixture
def deployment(tmp_path: Path, mariadb_url: str, deploy: Deploy) -> Deployment:
    site = tmp_path / "cms"
    (tmp_path / "staging").mkdir()
    for number in range(MODULES):
        module = site / _course(number)[1:]
        module.mkdir(parents=True)
        (module / "index.htm").write_text(f"course {number}", encoding="utf-8")
        (module / "notes.txt").write_text(f"notes {number}", encoding="utf-8")
    for number in range(DEPARTMENTS):
        (site / f"departments/d{number}").mkdir(parents=True)
        (site / f"departments/d{number}/index.htm").write_text(f"department {number}", encoding="utf-8")
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1},
        "engine": {"linger": 1},
        "sources": {"cms": {"kind": "directory", "path": str(site)}},
        "targets": {"staging": {"kind": "local", "root": str(tmp_path / "staging"), "durability": "none"}},
        "environments": {"STAGING": {"source": "cms", "origin": "staging", "engines": 2}},
    }
    deployment = deploy(tmp_path / "slipway.toml", configuration)
    for number in range(MODULES):
        _build(deployment, site, _course(number), f"/departments/d{number % DEPARTMENTS}")
    for number in range(DEPARTMENTS):
        _build(deployment, site, f"/departments/d{number}")
    return deployment


def _course(number: int) -> str:
    return f"/courses/c{number:02d}"


def _build(deployment: Deployment, site: Path, url: str, *dependents: str) -> None:
    slip = build_slip(site / url[1:], url)
    listed = "".join(f'<module url="{dependent}"/>' for dependent in dependents)
    text = write_slip(slip).decode()
    if listed:
        text = text.replace("</resources>", f"</resources><dependent-modules>{listed}</dependent-modules>")
    (site / url[1:] / "packageslip.xml").write_text(text, encoding="utf-8")


def test_two_daemons_share_the_work(deployment: Deployment, tmp_path: Path) -> None:
    deployment.daemon()
    deployment.daemon()
    roots = _insert(deployment)
    deployment.quiet(300)
    rows = {row["id"]: row for row in deployment.rows("SELECT * FROM publication_task_queue")}
    events = deployment.rows("SELECT * FROM event ORDER BY id")
    assert all(row["status"] in END_STATES for row in rows.values())
    outcomes = [(rows[root]["status"], rows[root]["reason"]) for root in roots]
    assert {status for status, _ in outcomes} == {"SUCCEEDED", "SUPERSEDED"}, set(outcomes)
    _every_module_has_one_engine_at_a_time(rows, events)
    _every_task_ends_once(events)
    attempts = deployment.rows("SELECT * FROM attempt")
    assert len({attempt["engine"] for attempt in attempts}) > 1, "both daemons' engines took part"
    ended = [attempt["task"] for attempt in attempts if attempt["outcome"] == "SUCCEEDED"]
    assert len(ended) == len(set(ended)), "no task runs twice to its end"
    _dependents_follow_their_batch_once(rows, events)
    assert digests(tree(tmp_path / "staging")) == digests(tree(tmp_path / "cms"))


def _insert(deployment: Deployment) -> list[int]:
    """Rows of many modules in a random order; a fixed seed, so that a failure comes back."""
    chance = random.Random(4)
    return [
        deployment.insert(
            _course(chance.randrange(MODULES)), "STAGING", parameters='{"mode": "full"}', requested_by=f"user-{n % 7}"
        )
        for n in range(TASKS)
    ]


def _every_module_has_one_engine_at_a_time(rows: Rows, events: Events) -> None:
    running: dict[tuple[str, str], int] = {}
    fences: dict[tuple[str, str], int] = defaultdict(int)
    for event in events:
        row = rows[event["task"]]
        module = (row["target"], row["url"])
        if event["state"] == "RUNNING":
            assert running.get(module) in {None, event["task"]}, f"two tasks at work in {module}"
            assert event["fence"] >= fences[module], "fences rise"
            running[module], fences[module] = event["task"], event["fence"]
        elif running.get(module) == event["task"]:
            del running[module]
    assert not running


def _every_task_ends_once(events: Events) -> None:
    ends: dict[int, int] = defaultdict(int)
    for event in events:
        ends[event["task"]] += event["state"] in END_STATES
    assert set(ends.values()) == {1}


def _dependents_follow_their_batch_once(rows: Rows, events: Events) -> None:
    dependents = [row for row in rows.values() if row["generation"] > 0]
    assert dependents, "the courses name their departments"
    seen = [(row["batch"], row["url"]) for row in dependents]
    assert len(seen) == len(set(seen)), "a batch visits a dependent once"
    first_running: dict[int, int] = {}
    ended: dict[int, int] = {}
    for place, event in enumerate(events):
        if event["state"] == "RUNNING":
            first_running.setdefault(event["task"], place)
        if event["state"] in END_STATES:
            ended[event["task"]] = place
    for row, other in itertools.product(dependents, rows.values()):
        if other["batch"] == row["batch"] and other["generation"] < row["generation"] and row["id"] in first_running:
            assert ended[other["id"]] < first_running[row["id"]], "a dependent runs after its batch"
