"""Engines that old scripts start by a number."""

import pytest

from database import State
from engines.__main__ import _environment
from support.bench import Bench, settings_of
from support.engine_process import Engines

A = "/courses/a"


@pytest.fixture
def coded(engines: Engines) -> Engines:
    """PRODUCTION, which promotes, has the code 3; STAGING has none."""
    bench = engines.bench
    production = bench.settings.environments["PRODUCTION"].model_copy(update={"code": 3})
    environments = bench.settings.environments | {"PRODUCTION": production}
    bench.settings = bench.settings.model_copy(update={"environments": environments})
    engines.configure()
    return engines


def test_a_number_is_the_environment_with_that_code_and_the_log_names_it(coded: Engines) -> None:
    coded.bench.write(A, {"index.htm": "one"})
    coded.bench.well(A)
    task = coded.bench.insert(A, "PRODUCTION")
    output = coded.run(environment="3")
    assert coded.bench.desk.show(task).task.state is State.SUCCEEDED
    [event] = [line for line in output.splitlines() if "engine code stands for an environment" in line]
    assert '"code": 3' in event
    assert '"environment": "PRODUCTION"' in event


def test_a_number_that_is_no_code_is_refused_with_those_that_are(coded: Engines) -> None:
    process = coded.start(environment="7")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "no environment has the code 7: in the configuration (environments.NAME.code), 3 is PRODUCTION" in output


def test_without_codes_the_refusal_says_so(engines: Engines) -> None:
    process = engines.start(environment="1")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "no environment has the code 1: in the configuration (environments.NAME.code), none has one" in output


def test_a_name_of_digits_goes_before_a_code(bench: Bench) -> None:
    settings = settings_of(bench.root)
    staging = settings.environments["STAGING"]
    named = {"3": staging, "DSPACE": staging.model_copy(update={"code": 3})}
    assert _environment(settings.model_copy(update={"environments": named}), "3") == ("3", None)
