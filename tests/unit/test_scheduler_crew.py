"""Which engines the daemon starts, and when it starts a failed one again."""

import pytest

from config import EngineSettings, EnvironmentSettings
from scheduler import STAGGER, STEADY, Crew

SETTINGS = EngineSettings(restart_base=1, restart_cap=10)


def environment(**settings: object) -> EnvironmentSettings:
    return EnvironmentSettings.model_validate({"source": "cms", "origin": "staging", **settings})


def ended(crew: Crew, *, failed: bool, lived: float = 0, now: float = 100) -> Crew:
    return crew.after_end(failed=failed, lived=lived, settings=SETTINGS, now=now)


def test_the_first_engine_is_started_at_once() -> None:
    assert Crew().wants_one_more(environment(), now=0)


def test_another_joins_when_the_newest_had_time_to_take_what_is_due() -> None:
    crew = Crew(running=1, newest=100)
    assert not crew.wants_one_more(environment(engines=2), now=100 + STAGGER / 2)
    assert crew.wants_one_more(environment(engines=2), now=100 + STAGGER)


def test_there_are_never_more_than_configured() -> None:
    assert not Crew(running=2, newest=0).wants_one_more(environment(engines=2), now=1000)


def test_an_environment_that_a_person_starts_is_left_alone() -> None:
    assert not Crew().wants_one_more(environment(start="manual"), now=0)


def test_failed_starts_are_repeated_later_and_later_up_to_the_cap() -> None:
    crew, rests = Crew(), []
    for _ in range(6):
        crew = ended(Crew(running=1, failures=crew.failures), failed=True)
        rests.append(crew.rest_until - 100)
    assert rests == [1, 2, 4, 8, 10, 10]
    assert not crew.wants_one_more(environment(), now=109)
    assert crew.wants_one_more(environment(), now=110)


def test_the_back_off_does_not_overflow_in_a_long_night() -> None:
    assert ended(Crew(running=1, failures=100_000), failed=True).rest_until == 110


@pytest.mark.parametrize(("failed", "lived"), [(False, 0), (False, 1000), (True, STEADY)])
def test_an_engine_that_worked_begins_a_new_count(failed: bool, lived: float) -> None:
    crew = ended(Crew(running=2, failures=5), failed=failed, lived=lived)
    assert (crew.running, crew.failures, crew.rest_until) == (1, int(failed), 101)
