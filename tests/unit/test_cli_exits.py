"""Which exit code an error or a task leads to."""

import pytest

from cli.exits import Exit, code_of, code_of_name, code_of_task, together
from config import ConfigError, SecretError
from database import DatabaseUnavailable, LeaseLost, NoSuchTask, SchemaMismatch, State, Task
from packageslip import BadSlip, UnsafePath
from sources import NoSuchModule, ResourceMissing, SourceChanged, SourceUnreachable
from targets import Fenced, HostKeyRefused, LoginRefused, NoSpace, TargetBusy, TargetUnreachable


def test_the_codes_never_change() -> None:
    assert {code.name: int(code) for code in Exit} == {
        "OK": 0, "FAILED": 1, "USAGE": 2, "PARTLY": 3, "CONFIGURATION": 4, "SLIP": 5, "TARGET": 6, "SOURCE": 7,
        "TEMPORARY": 8, "HELD": 25, "LOCKED": 75, "INTERRUPTED": 130, "TERMINATED": 143,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ConfigError, 4), (SecretError, 4), (SchemaMismatch, 4), (BadSlip, 5), (UnsafePath, 5), (LoginRefused, 6),
        (HostKeyRefused, 6), (NoSpace, 6), (NoSuchModule, 7), (ResourceMissing, 7), (TargetUnreachable, 8),
        (SourceUnreachable, 8), (SourceChanged, 8), (DatabaseUnavailable, 8), (TargetBusy, 75), (Fenced, 75),
        (LeaseLost, 75), (NoSuchTask, 1), (ValueError, 1),
    ],
)  # fmt: skip
def test_an_error_has_the_code_of_who_must_act(kind: type[Exception], code: int) -> None:
    assert code_of(kind) == code
    if code != 1:
        assert code_of_name(kind.__name__) == code


@pytest.mark.parametrize("name", [None, "NobodyKnows"])
def test_an_unknown_error_is_a_failure(name: str | None) -> None:
    assert code_of_name(name) is Exit.FAILED


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        (State.SUCCEEDED, None, Exit.OK),
        (State.HELD, "PlanHeld", Exit.HELD),
        (State.FAILED, "LoginRefused", Exit.TARGET),
        (State.FAILED, "BadSlip", Exit.SLIP),
        (State.CANCELLED, None, Exit.FAILED),
        (State.REJECTED, None, Exit.FAILED),
        (State.READY, "TargetUnreachable", Exit.TEMPORARY),
    ],
)
def test_a_task_has_the_code_of_its_end(state: State, error: str | None, code: Exit) -> None:
    assert code_of_task(Task(1, "/a", "STAGING", "PUBLISH", state), error) is code


def test_tasks_that_agree_share_their_code() -> None:
    assert together([]) is Exit.OK
    assert together([Exit.OK, Exit.OK]) is Exit.OK
    assert together([Exit.TARGET, Exit.TARGET]) is Exit.TARGET
    assert together([Exit.HELD, Exit.TARGET]) is Exit.HELD


def test_some_done_and_some_not_is_partly() -> None:
    assert together([Exit.OK, Exit.HELD]) is Exit.PARTLY
