"""Which engines the daemon starts, and when it starts a failed one again."""

import sys
import time
from pathlib import Path

import pytest

from config import EngineSettings, EnvironmentSettings, Settings, snapshot
from daemon import STAGGER, STEADY, Child, Crew, Crews, meaning

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


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_engine_that_cannot_be_started_is_tried_again_later_and_leaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.crews.ENGINE", ("/nowhere/python",))
    everything = Settings(environments={"STAGING": environment()})
    crews = Crews(everything, {}, clock=lambda: 100)
    before = open_files()
    crews.tend(frozenset({"STAGING", "NOT-OURS"}))
    assert crews.hands == []
    assert crews.crews["STAGING"].rest_until == 100 + everything.engine.restart_base
    assert open_files() == before


def test_a_child_is_handed_its_settings_and_hears_the_bell(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import os, sys\n"
        "settings = open(sys.argv[2]).read()\n"
        "os.read(int(sys.argv[4]), 1)\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(settings)\n"
        "sys.exit(7)\n"
    )
    everything = Settings(environments={"STAGING": environment()})
    child = Child.start([sys.executable, str(script)], everything, {})
    assert child.reap() is None
    child.ring()
    deadline = time.monotonic() + 60
    while child.reap() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert child.reap() == 7
    assert (tmp_path / "told").read_text() == snapshot(everything)
    child.kill()


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (75, "exit code 75"), (-9, "signal SIGKILL")])
def test_an_exit_code_is_told_in_words(code: int, words: str) -> None:
    assert meaning(code) == words
