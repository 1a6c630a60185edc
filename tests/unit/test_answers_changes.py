"""What a plan changes, from wherever it is known: a held plan, a dry run, or what an attempt kept of what it did."""

import json
from datetime import UTC, datetime
from typing import Any

from answers import Tally, TaskChanges, changes_fields, task_changes
from database import Attempt, HeldPlan, State, Task, TaskView
from packageslip import Packageslip, Resource
from tasks import Plan, Policy, plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAME = Resource("same.htm", size=7, digest=b"s" * 32)
OLD = Packageslip("/a", (Resource("gone.htm", size=5, digest=b"g" * 32), Resource("page.htm", size=2, digest=b"1" * 32), SAME))
NEW = Packageslip("/a", (Resource("new.htm", size=11, digest=b"n" * 32), Resource("page.htm", size=3, digest=b"2" * 32), SAME))
WANTED = {"added": Tally(1, 11), "changed": Tally(1, 3), "removed": Tally(1, 5), "kept": Tally(1, 7)}


def made() -> Plan:
    return plan(NEW, OLD, Policy(drop_files=0, drop_percent=0), url="/a", target="staging")


def view(state: State, summary: dict[str, Any] | None = None, held: HeldPlan | None = None) -> TaskView:
    attempt = Attempt(7, 1, 1, "e", "host", NOW, ended_at=NOW, outcome="SUCCEEDED", summary=json.loads(json.dumps(summary or {})))
    return TaskView(Task(7, "/a", "STAGING", "PUBLISH", state, "staging"), (attempt,), plan=held)


def found(of: TaskView) -> TaskChanges:
    changes = task_changes(of)
    assert changes is not None
    return changes


def test_a_held_plan_is_shown_with_what_stands_against_it_and_the_digest_to_approve() -> None:
    document = json.dumps(made().document())
    changes = found(view(State.HELD, held=HeldPlan(made().digest, document)))
    [one] = changes.plans
    assert (changes.stage, changes.digest) == ("held", made().digest)
    assert one.tallies == WANTED
    assert [(each.path, each.kind) for each in one.files] == [
        ("gone.htm", "removed"), ("new.htm", "added"), ("page.htm", "changed"), ("same.htm", "kept")
    ]  # fmt: skip
    assert one.files[1].sentence == "new.htm is not on the target yet"
    assert one.objections


def test_a_dry_run_says_what_would_be() -> None:
    changes = found(view(State.SUCCEEDED, {"dry_run": True, "plan": made().document(listed=1), **made().counts()}))
    [one] = changes.plans
    assert changes.stage == "rehearsed"
    assert one.tallies == WANTED
    assert (len(one.files), one.not_listed) == (1, 3)


def test_what_was_done_is_known_afterwards() -> None:
    summary = {**made().counts(), "reasons": made().reasons(), "changes": made().moving(2)}
    [one] = found(view(State.SUCCEEDED, summary)).plans
    assert one.target == "staging"
    assert one.tallies == WANTED
    assert [each.path for each in one.files] == ["gone.htm", "new.htm"]
    assert one.not_listed == 1


def test_an_attempt_of_an_older_program_has_counts_only() -> None:
    [one] = found(view(State.SUCCEEDED, {"put": 3, "drop": 1, "keep": 9, "stale": 0, "leave": 0, "bytes": 12})).plans
    assert one.tallies == {"changed": Tally(3, 12), "removed": Tally(1, 0), "kept": Tally(9, 0)}
    assert one.not_listed == 4


def test_the_members_of_a_group_each_have_a_plan() -> None:
    document = {"digest": "ab", "members": [made().document(), made().document()]}
    changes = found(view(State.HELD, held=HeldPlan("ab", json.dumps(document))))
    assert changes.digest == "ab"
    assert [one.tallies for one in changes.plans] == [WANTED, WANTED]


def test_a_task_that_planned_nothing_has_no_changes() -> None:
    assert task_changes(view(State.SUCCEEDED, {"checked": 3})) is None


def test_a_doubt_without_files_is_still_an_objection() -> None:
    document = {"url": "/a", "target": "staging", "digest": "cd", "objections": [{"rule": "serial", "sentence": "it is newer"}]}
    [one] = found(view(State.HELD, held=HeldPlan("cd", json.dumps(document)))).plans
    assert (one.tallies, one.files, one.objections) == ({}, (), ("it is newer",))


def test_the_same_as_json() -> None:
    fields = changes_fields(found(view(State.HELD, held=HeldPlan(made().digest, json.dumps(made().document())))))
    assert json.loads(json.dumps(fields))["plans"][0]["tallies"]["added"] == {"files": 1, "bytes": 11}
