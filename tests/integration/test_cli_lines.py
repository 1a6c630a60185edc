"""What scripts read line by line, and what is seen of a queue that is watched."""

import json
import os
import subprocess
import time
from typing import Any

import pytest

from config import RetrySettings, load
from database import Claims, Database, Desk, Intake, Lane, Leases, NewTask, Outcome, Progress, Result
from support.small_site import SLIPWAY, SmallSite

KINDS = {"plan", "progress", "item", "error", "summary"}


def events(said: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in said.splitlines()]
    assert all(list(event)[:2] == ["version", "type"] and event["version"] == 1 and event["type"] in KINDS for event in found)
    return found


def of(kind: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in found if event["type"] == kind]


def test_a_verb_that_waits_tells_what_it_waits_for_each_end_and_the_sum(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/knots", "/about", "--to", "STAGING", "--now", "--json-lines")
    found = events(result.stdout)
    assert found[0] == {"version": 1, "type": "plan", "tasks": [1, 2]}
    ended = [event["task"] for event in of("item", found)]
    assert sorted((task["id"], task["state"], task["exit"]) for task in ended) == [
        (1, "SUCCEEDED", 0),
        (2, "SUCCEEDED", 0),
        (3, "SUCCEEDED", 0),
    ]
    assert found[-1]["type"] == "summary"
    assert {name: found[-1][name] for name in ("tasks", "done", "not_done", "dry_run", "exit")} == {
        "tasks": 3, "done": 3, "not_done": 0, "dry_run": False, "exit": 0,
    }  # fmt: skip
    assert result.exit_code == 0


def test_a_rehearsal_has_its_plan_in_its_item(small_site: SmallSite) -> None:
    found = events(small_site.run("publish", "/about", "--to", "STAGING", "--now", "-n", "--json-lines").stdout)
    [item] = of("item", found)
    assert [change["path"] for change in item["task"]["summary"]["plan"]["changes"]] == ["index.html"]
    assert found[-1]["dry_run"] is True


@pytest.mark.parametrize(
    ("words", "thing"),
    [
        (["queue", "list", "--all"], "task"),
        (["history", "/about"], "publication"),
        (["audit", "list"], "row"),
        (["rollback", "/about", "--in", "STAGING", "--list"], "publication"),
        (["doctor"], "check"),
    ],
)
def test_a_list_is_an_item_for_each_and_their_number(small_site: SmallSite, words: list[str], thing: str) -> None:
    small_site.run("publish", "/about", "--to", "STAGING", "--now")
    found = events(small_site.run(*words, "--json-lines").stdout)
    items = of("item", found)
    assert items
    assert all(event[thing] for event in items)
    assert found[-1]["count"] == len(items) == len(found) - 1


def test_an_error_is_an_event_too(small_site: SmallSite) -> None:
    failed = small_site.run("publish", "/about", "--to", "NOWHERE", "--json-lines")
    assert failed.exit_code == 2
    [event] = events(failed.stdout)
    assert event["exit"] == 2
    assert "NOWHERE" in event["message"]
    small_site.config.write_text("nonsense = 1\n")
    [event] = events(small_site.run("queue", "list", "--json-lines").stdout)
    assert (event["type"], event["exit"]) == ("error", 4)


def watched(site: SmallSite) -> tuple[Database, Any]:
    """A queue in which one task runs, half done."""
    assert site.run("queue", "list").exit_code == 0
    database = Database.connect(f"sqlite:///{site.folder}/state/queue.db")
    Desk(database).insert_many([NewTask("/knots", "STAGING"), NewTask("/about", "STAGING")])
    Intake(database).accept(load(site.config, {}))
    claims = Claims(database, RetrySettings())
    engine = Leases(database).register("STAGING", "host", "boot", 1, 60, "0")
    [task] = claims.claim(engine, [Lane("staging", 1)])
    claims.progress(engine, [Progress(task.id, "transfer", 15, 30, 250, 500)])

    def end() -> None:
        assert claims.finish(engine, [Result(task.id, task.fence, Outcome.SUCCEEDED, "live on staging")]) is not None

    return database, end


def test_one_look_at_the_queue_shows_who_works_what_waits_and_how_far_things_are(small_site: SmallSite) -> None:
    database, _ = watched(small_site)
    lines = [line.split("\t") for line in small_site.run("queue", "watch", "--once").stdout.splitlines()]
    database.close()
    assert lines[0][1:] == ["STAGING", "", "", lines[0][-1]]
    assert lines[0][-1].startswith("1 engine; 1 due, the oldest since 0:0")
    assert lines[1][1:] == ["STAGING", "1", "PUBLISH /knots", "transfer 15/30"]
    assert lines[2][1:] == ["PRODUCTION", "", "", "no engine"]
    document = small_site.json("queue", "watch", "--env", "STAGING")
    [staging] = document["environments"]
    assert (staging["due"], staging["engines"], staging["paused"]) == (1, 1, False)
    [running] = staging["running"]
    assert (running["step"], running["files_done"], running["bytes_total"]) == ("transfer", 15, 500)


def test_what_ends_while_it_is_watched_is_told_and_an_idle_queue_can_be_left(small_site: SmallSite) -> None:
    small_site.run("queue", "list")
    watching = small_site.started("queue", "watch", "--json-lines", "--every", "0.2")
    assert watching.stdout is not None
    database, end = watched(small_site)
    first = json.loads(watching.stdout.readline())
    assert (first["type"], first["id"], first["step"], first["files_done"]) == ("progress", 1, "transfer", 15)
    end()
    second = json.loads(watching.stdout.readline())
    assert (second["type"], second["task"]["id"], second["task"]["state"]) == ("item", 1, "SUCCEEDED")
    watching.terminate()
    watching.communicate(timeout=30)
    assert watching.returncode == 143
    Desk(database).hold([2])
    database.close()
    left = small_site.run("queue", "watch", "--until-idle", "--json-lines")
    assert left.exit_code == 0
    assert events(left.stdout)[-1]["type"] == "summary"


def test_a_terminal_sees_the_picture_and_it_fits(small_site: SmallSite) -> None:
    database, end = watched(small_site)
    Desk(database).hold([2])
    typescript = small_site.folder / "typescript"
    command = f"stty cols 90 rows 24; {SLIPWAY} -c {small_site.config} queue watch --until-idle --every 0.2"
    where = {**os.environ, "TERM": "xterm", "COLUMNS": "90", "LINES": "24"}
    with subprocess.Popen(["script", "-qfc", command, str(typescript)], stdout=subprocess.DEVNULL, env=where) as watching:
        while watching.poll() is None and not (typescript.exists() and "PRODUCTION" in typescript.read_text()):
            time.sleep(0.1)
        end()
        assert watching.wait(60) == 0
    database.close()
    seen = typescript.read_text()
    for word in ("STAGING", "1 engine", "PUBLISH", "transfer", "15/30", "250 B/500 B", "PRODUCTION", "no engine"):
        assert word in seen, seen
    assert "Traceback" not in seen


def test_nothing_turns_where_nobody_looks(small_site: SmallSite) -> None:
    result = small_site.run("publish", "/about", "--to", "STAGING", "--now")
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    quiet = small_site.run("-q", "doctor")
    assert not [line for line in quiet.stdout.splitlines() if line.startswith("ok")]
