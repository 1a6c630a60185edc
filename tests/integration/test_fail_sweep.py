"""A small form of `make fail-sweep`, and that it notices what it is there to notice."""

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import structlog

from reliability.fail_calls import Rack, Wanted, sweep_calls
from reliability.fail_case import Case, Strike, Tally
from reliability.fail_sweep import GROUP, SFTP, STREAM, VERSIONED, Part, Wish, impatient, sweep
from support.failing import BROKEN
from support.injector import Injector, Lasting, Spot
from support.kill_rig import Violation
from support.sweep_places import BUCKET
from support.sweep_world import CHANGE, WITHDRAW, World
from targets.hold import Hold


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with impatient():
        yield
    structlog.reset_defaults()


def test_some_calls_fail_and_nothing_is_lost(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    places: Mapping[str, Mapping[str, Any]] = {
        "file": VERSIONED,
        "group": GROUP,
        "sftp": SFTP,
        "stream": STREAM,
        "s3": BUCKET,
        "http": {},
        "database": {},
    }
    parts = [Part(kind, CHANGE, place) for kind, place in places.items()]
    tally = sweep(tmp_path, parts, Wish(14, math.inf, seed))
    assert not tally.violations, f"seed {seed}: {tally.violations}"
    assert tally.injected.total() >= 12
    assert len(tally.hit) >= 10


def test_some_system_calls_fail_and_nothing_is_lost(tmp_path: Path) -> None:
    seed, tally = random.SystemRandom().randrange(10**6), Tally()
    sweep_calls(
        tmp_path, Wanted(3, math.inf, random.Random(seed)), tally, ["local, ordered", "sftp, versioned", "stream, ordered"]
    )
    assert not tally.violations, f"seed {seed}: {tally.violations}"
    assert tally.injected == {"system calls": 9}


def test_a_task_given_up_for_a_failing_system_call_is_noticed(tmp_path: Path) -> None:
    rack = Rack(World(tmp_path, CHANGE, {}, delivers=False))
    [rename, *_] = [strike for strike in rack.all_calls() if strike.what == "rename"]
    with pytest.raises(Violation, match=r"a failure that may pass by itself ended a task: FAILED, .*the account may not rename"):
        rack.let_fail(rename, "EACCES")


def test_a_refused_drop_that_nobody_looks_at_is_noticed(tmp_path: Path) -> None:
    world = World(tmp_path, WITHDRAW, SFTP)
    with closing(Case(world, "sftp", Tally())) as case:
        drop = Strike((Spot("request posix-rename@openssh.com in targets/replay.py:Replay._trash", 3),), "refuse")
        assert case.strike(drop)
        with mock.patch.object(Hold, "insist", Hold.run), pytest.raises(AssertionError, match="trees are not as they should be"):
            case.strike(drop)


def test_tasks_are_not_lost_whose_claim_was_made_but_not_confirmed(tmp_path: Path) -> None:
    with closing(Case(World(tmp_path, CHANGE, {}), "database", Tally())) as case:
        [claim, *_] = [spot for spot in case.spots if "Claims.claim" in spot.site and spot.site.startswith("commit")]
        assert case.strike(Strike((claim,), case.ways(claim)[-1]))


def test_a_task_is_not_held_for_ever_whose_worker_cannot_ask_for_the_queues_id(tmp_path: Path) -> None:
    with closing(Case(World(tmp_path, CHANGE, {}), "database", Tally())) as case:
        asked = Spot("statement SELECT in engines/workshop.py:Workshop.carry_out")
        assert case.strike(Strike((asked,), BROKEN))


def test_a_call_is_met_however_often_others_are_made() -> None:
    injector = Injector([Spot("b in there", 2)])
    assert [injector.strikes(call, "there") for call in "aabaaba"] == [False] * 5 + [True, False]
    assert injector.failed == ["b in there"]


@pytest.mark.parametrize(("lasting", "failing"), [(Lasting.ONCE, "2"), (Lasting.HERE, "25"), (Lasting.ALL, "2345")])
def test_what_fails_for_good_fails_there_or_everywhere(lasting: Lasting, failing: str) -> None:
    injector = Injector([Spot("b in there")], lasting, lambda call: call != "never")
    struck = [
        number for number, call in enumerate(["a", "never", "b", "c", "a", "b", "never"]) if injector.strikes(call, "there")
    ]
    assert "".join(map(str, struck)) == failing
    assert injector.listed()[0] == Spot("a in there", 1)


def test_a_call_that_only_the_recovery_makes_fails_too(tmp_path: Path) -> None:
    tally = Tally()
    rename = Spot("request posix-rename@openssh.com in targets/replay.py:Replay._rename", 2)
    note = Spot("request 3 in targets/takeover.py:Takeover._read_note")
    with closing(Case(World(tmp_path, CHANGE, SFTP), "sftp", tally)) as case:
        assert case.strike(Strike((rename,), "cut before"))
        assert f"sftp: {note.site}" in case.came_by - tally.known
        assert case.strike(Strike((rename, note), "cut before"))
        assert case.injector.failed == [rename.site, note.site]
    assert tally.injected == {"once": 1, "2 in a run": 1}
