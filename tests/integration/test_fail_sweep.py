"""A small form of `make fail-sweep`, and that it notices what it is there to notice."""

import logging
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import structlog

from database import transactions
from reliability.fail_sweep import KINDS, SFTP, VERSIONED, Case, Part, Tally, Wish, sweep
from support.sweep_world import CHANGE, WITHDRAW, World
from targets.hold import Hold


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with mock.patch.multiple(transactions, TRIES=3, PATIENCE=0.1):
        yield
    structlog.reset_defaults()


def test_some_calls_fail_and_nothing_is_lost(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    places: Mapping[str, Mapping[str, Any]] = {"file": VERSIONED, "sftp": SFTP}
    parts = [Part(kind, CHANGE, places.get(kind, {}), chance.sample(ways, 2)) for kind, ways in KINDS.items()]
    tally = sweep(tmp_path, parts, Wish(24, math.inf, chance, sites=False))
    assert not tally.violations, f"seed {seed}: {tally.violations}"
    assert tally.injected.total() + tally.missed >= 24
    assert len(tally.hit) >= 12


def test_a_refused_drop_that_nobody_looks_at_is_noticed(tmp_path: Path) -> None:
    world = World(tmp_path, WITHDRAW, SFTP)
    with closing(Case(world, "sftp", "refuse", Tally())) as case:
        renames = [nth for nth, site in enumerate(case.injector.sites, 1) if site.startswith("request 200") and ".run" in site]
        drop = renames[2]
        case.strike(drop, forever=False)
        with mock.patch.object(Hold, "insist", Hold.run), pytest.raises(AssertionError, match="trees are not as they should be"):
            case.strike(drop, forever=False)


def test_tasks_are_not_lost_whose_claim_was_made_but_not_confirmed(tmp_path: Path) -> None:
    with closing(Case(World(tmp_path, CHANGE, {}), "database", "after", Tally())) as case:
        claims = [nth for nth, site in enumerate(case.injector.sites, 1) if "Claims.claim" in site]
        case.strike(claims[0], forever=False)
        assert case.injector.failed
