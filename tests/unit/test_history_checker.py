"""The history checker bites: each rule finds the bad history it was made for, and leaves good ones alone."""

from dataclasses import replace

import pytest

from packageslip import Packageslip, Resource
from reliability.happenings import AttemptRow, EventRow, History, Move, PublicationRow, Seen, Sighting, TaskRow
from reliability.history import check
from reliability.sftp_log import moves_of
from reliability.target_rules import unequal

A, B = bytes(32), bytes([1]) * 32


def events(*told: tuple[int, str] | tuple[int, str, int]) -> list[EventRow]:
    """(task, state) or (task, state, fence), in order."""
    return [EventRow(n, t[0], t[1], "because", t[2] if len(t) > 2 else None) for n, t in enumerate(told, 1)]


def task(id_: int, status: str = "SUCCEEDED", **more: object) -> TaskRow:
    known = {"environment": "STAGING", "url": "/a", "target": "staging", "reason": "done"} | more
    return TaskRow(id_, status=status, **known)  # type: ignore[arg-type]


GOOD = History(
    accepted=frozenset({1, 2}),
    tasks=[task(1), task(2, action="UNPUBLISH")],
    attempts=[AttemptRow(1, 1, "RETRY"), AttemptRow(1, 2, "SUCCEEDED"), AttemptRow(2, 3, "SUCCEEDED")],
    events=events(
        (1, "READY"),
        (1, "RUNNING", 1),
        (1, "READY"),
        (1, "RUNNING", 2),
        (1, "SUCCEEDED"),
        (2, "READY"),
        (2, "RUNNING", 3),
        (2, "SUCCEEDED"),
    ),
    publications=[PublicationRow("staging", "/a", 1), PublicationRow("staging", "/a", 3, open=True)],
    moves=[Move("staging", "q", "+a", f"{fence:019d}.00000000", f"a/{fence}") for fence in (1, 1, 2, 3)],
    records=[Seen("staging", "q", "/a", serial) for serial in (None, 1, 1, 3)],
    sightings=[Sighting("staging", "a/index.htm", A)],
    listed=frozenset({("staging", "a/index.htm", A)}),
    settled=True,
)


def rules(history: History) -> set[str]:
    return {violation.rule for violation in check(history)}


def test_a_good_history_has_no_violation() -> None:
    assert check(GOOD) == []
    assert check(History()) == []


def with_task(changed: TaskRow) -> History:
    return replace(GOOD, tasks=[changed if old.id == changed.id else old for old in GOOD.tasks])


BAD: dict[str, tuple[str, History]] = {
    "an accepted task is gone": ("lost", replace(GOOD, accepted=frozenset({1, 2, 7}))),
    "a task failed and nobody knows why": (
        "lost",
        History(tasks=[task(1, "REJECTED", reason="")], events=[EventRow(1, 1, "REJECTED")]),
    ),
    "a task waits again and nobody knows why": (
        "lost",
        History(
            tasks=[task(1, "READY", reason=None)],
            attempts=[AttemptRow(1, 1, "RETRY")],
            events=[EventRow(1, 1, "READY"), EventRow(2, 1, "RUNNING", None, 1), EventRow(3, 1, "READY")],
        ),
    ),
    "a task never ended": (
        "lost",
        History(tasks=[task(1, "READY")], events=events((1, "READY")), settled=True),
    ),
    "a held task has no plan": (
        "lost",
        History(
            tasks=[task(1, "HELD")],
            attempts=[AttemptRow(1, 1, "HELD")],
            events=events((1, "READY"), (1, "RUNNING", 1), (1, "HELD")),
        ),
    ),
    "a row says something else than its last event": ("lost", with_task(task(1, "FAILED"))),
    "a task ended twice": ("second end", replace(GOOD, events=[*GOOD.events, EventRow(99, 2, "SUCCEEDED")])),
    "a task rose from its end": ("second end", replace(GOOD, events=[*GOOD.events, EventRow(99, 2, "READY")])),
    "a task ran before it was taken in": (
        "state",
        History(tasks=[task(1)], attempts=[AttemptRow(1, 1, "SUCCEEDED")], events=events((1, "RUNNING", 1), (1, "SUCCEEDED"))),
    ),
    "a held task ran without approval": (
        "state",
        History(
            tasks=[task(1)],
            attempts=[AttemptRow(1, 1, "HELD"), AttemptRow(1, 2, "SUCCEEDED")],
            events=events((1, "READY"), (1, "RUNNING", 1), (1, "HELD"), (1, "RUNNING", 2), (1, "SUCCEEDED")),
        ),
    ),
    "one fence was given twice": (
        "fence",
        replace(GOOD, attempts=[AttemptRow(1, 1, "RETRY"), AttemptRow(1, 2, "SUCCEEDED"), AttemptRow(2, 2, "SUCCEEDED")]),
    ),
    "a claim left no attempt": ("attempt", replace(GOOD, attempts=GOOD.attempts[1:])),
    "an attempt never ended": ("attempt", replace(GOOD, attempts=[*GOOD.attempts[:2], AttemptRow(2, 3)])),
    "two tasks were in one module": (
        "overlap",
        History(
            tasks=[task(1), task(2)],
            attempts=[AttemptRow(1, 1, "SUCCEEDED"), AttemptRow(2, 2, "SUCCEEDED")],
            events=events((1, "READY"), (2, "READY"), (1, "RUNNING", 1), (2, "RUNNING", 2), (1, "SUCCEEDED"), (2, "SUCCEEDED")),
        ),
    ),
    "a fence went back": (
        "overlap",
        replace(
            GOOD,
            attempts=[AttemptRow(1, 1, "RETRY"), AttemptRow(1, 5, "SUCCEEDED"), AttemptRow(2, 3, "SUCCEEDED")],
            events=[replace(e, fence=5) if e.fence == 2 else e for e in GOOD.events],
        ),
    ),
    "an older task ran after a newer one": (
        "newest wins",
        History(
            tasks=[task(1), task(2)],
            attempts=[AttemptRow(1, 2, "SUCCEEDED"), AttemptRow(2, 1, "SUCCEEDED")],
            events=events((1, "READY"), (2, "READY"), (2, "RUNNING", 1), (2, "SUCCEEDED"), (1, "RUNNING", 2), (1, "SUCCEEDED")),
        ),
    ),
    "a dependent ran before its root was done": (
        "dependent",
        History(
            tasks=[task(1, batch=1), task(2, batch=1, generation=1, url="/b")],
            attempts=[AttemptRow(1, 1, "SUCCEEDED"), AttemptRow(2, 2, "SUCCEEDED")],
            events=events((1, "READY"), (2, "READY"), (1, "RUNNING", 1), (2, "RUNNING", 2), (2, "SUCCEEDED"), (1, "SUCCEEDED")),
        ),
    ),
    "a stale holder switched after a newer one": ("switch", replace(GOOD, moves=[GOOD.moves[2], GOOD.moves[0]])),
    "two holders of one fence switched by turns": (
        "switch",
        replace(GOOD, moves=[replace(GOOD.moves[0], token=f"{1:019d}.0000000{n}") for n in (1, 2, 1)]),
    ),
    "a serial went back": ("serial", replace(GOOD, records=[*GOOD.records, Seen("staging", "q", "/a", 1)])),
    "a visitor saw bytes that nobody listed": (
        "unlisted",
        replace(GOOD, sightings=[Sighting("staging", "a/index.htm", B)]),
    ),
    "a visitor saw a file that nobody listed": (
        "unlisted",
        replace(GOOD, sightings=[Sighting("staging", "a/other.htm", A)]),
    ),
    "a module is recorded twice as live": (
        "publication",
        replace(GOOD, publications=[replace(each, open=True) for each in GOOD.publications]),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_each_rule_finds_what_it_is_for(name: str) -> None:
    rule, history = BAD[name]
    assert rule in rules(history)


def test_tasks_that_were_out_of_the_order_are_excused() -> None:
    _, history = BAD["an older task ran after a newer one"]
    assert rules(replace(history, deferred=frozenset({1}))) == set()
    other = replace(history, tasks=[task(1, environment="SHARED"), task(2)])
    assert rules(other) == set()


def test_numbers_of_two_queues_do_not_compare() -> None:
    moves = [GOOD.moves[3], replace(GOOD.moves[0], area="restored")]
    records = [Seen("staging", "q", "/a", 3), Seen("staging", "restored", "/a", 1)]
    assert check(replace(GOOD, moves=moves, records=records)) == []


SLIP = Packageslip("/a", (Resource("index.htm", size=1, digest=A), Resource("x/1.pdf", size=1, digest=B)))


def test_a_target_at_rest_equals_its_slips() -> None:
    right = {"a/index.htm": A, "a/x/1.pdf": B}
    assert list(unequal("t", [SLIP], right)) == []
    assert list(unequal("t", [Packageslip("/s.xml", (Resource(".", size=1, digest=A),))], {"s.xml": A})) == []
    for wrong in ({"a/index.htm": A}, {**right, "a/2.pdf": B}, {**right, "a/index.htm": B}):
        assert len(list(unequal("t", [SLIP], wrong))) == 1
    assert list(unequal("t", [SLIP], {**right, "robots.txt": B}, foreign=["robots.txt"])) == []


AREA = "/site/.slipway/modules-q/modules/+a"
TOKEN = "0000000000000000007.0a0b0c0d"
LOG = f"""
Accepted publickey for somebody
<38>Nov 28 07:48:55 internal-sftp[1]: posix-rename old "{AREA}/{TOKEN}/s:{TOKEN}:0" new "/site/a/index.htm"
<38>Nov 28 07:48:55 internal-sftp[2]: posix-rename old "{AREA}/{TOKEN}/s:{TOKEN}:1" new "/site/a/never.htm"
<38>Nov 28 07:48:55 internal-sftp[1]: posix-rename old "/site/a/old.htm" new "{AREA}/{TOKEN}/t:0"
<38>Nov 28 07:48:55 internal-sftp[2]: sent status No such file
<38>Nov 28 07:48:55 internal-sftp[2]: posix-rename old "{AREA}/{TOKEN}" new "{AREA}/0000000000000000009.00000000"
<38>Nov 28 07:48:55 internal-sftp[1]: posix-rename old "{AREA}/{TOKEN}/note.tmp" new "{AREA}/{TOKEN}/next.xml"
<38>Nov 28 07:48:55 internal-sftp[1]: posix-rename old "{AREA}/{TOKEN}/s:{TOKEN}:slip" new "{AREA}/slip.xml"
<38>Nov 28 07:48:56 internal-sftp[1]: remove name "{AREA}/{TOKEN}/next.xml"
<38>Nov 28 07:48:56 internal-sftp[1]: sent status Failure
"""


def test_the_log_of_a_server_tells_what_was_moved_and_what_was_refused() -> None:
    found = list(moves_of(LOG.splitlines(), "staging"))
    assert [move.path for move in found] == ["/site/a/index.htm", "/site/a/old.htm", f"{AREA}/slip.xml"]
    assert {(move.area, move.module, move.fence) for move in found} == {("q", "+a", 7)}
