"""The exit codes. They are documented in docs/command.md and never change their meaning."""

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

from config import ConfigError, SecretError
from database import DatabaseUnavailable, LeaseLost, QueueRestored, SchemaMismatch, State, Task
from notices import NoticeUnreachable
from packageslip import SlipError
from sources import SourceError, TransientSourceError
from targets import Fenced, TargetBusy, TargetError, TransientTargetError


class Exit(IntEnum):
    """What a script may rely on. An unknown code must be read as failure."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    CONFIGURATION = 4
    SLIP = 5
    TARGET = 6
    SOURCE = 7
    TEMPORARY = 8
    HELD = 25
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "another failure",
    Exit.USAGE: "usage: an unknown verb, option, environment or target, a malformed URL, a question that nobody can answer",
    Exit.PARTLY: "some of the tasks were done, others were not",
    Exit.CONFIGURATION: "the configuration has faults, a secret cannot be read, or the schema is not the one that is needed",
    Exit.SLIP: "a packageslip, or a resource in it, is invalid",
    Exit.TARGET: "a target failed for good, or refused the login",
    Exit.SOURCE: "a source failed for good, or does not have the module",
    Exit.TEMPORARY: "for the moment: something did not answer; a retry may help",
    Exit.HELD: "held for a person: the deletion guard, files of somebody else, or a newer publication",
    Exit.LOCKED: "somebody else holds the module, the lease or the folder",
    Exit.INTERRUPTED: "SIGINT (Ctrl-C)",
    Exit.TERMINATED: "SIGTERM",
}

CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (ConfigError, Exit.CONFIGURATION),
    (SecretError, Exit.CONFIGURATION),
    (SchemaMismatch, Exit.CONFIGURATION),
    (QueueRestored, Exit.CONFIGURATION),
    (DatabaseUnavailable, Exit.TEMPORARY),
    (LeaseLost, Exit.LOCKED),
    (NoticeUnreachable, Exit.TEMPORARY),
    (SlipError, Exit.SLIP),
    (TargetBusy, Exit.LOCKED),
    (Fenced, Exit.LOCKED),
    (TransientTargetError, Exit.TEMPORARY),
    (TargetError, Exit.TARGET),
    (TransientSourceError, Exit.TEMPORARY),
    (SourceError, Exit.SOURCE),
)
"""The first that fits decides: the special ones stand above the general ones."""


def code_of(kind: type[BaseException]) -> Exit:
    """The exit code of an error."""
    return next((code for known, code in CODES if issubclass(kind, known)), Exit.FAILED)


def code_of_name(name: str | None) -> Exit:
    """The exit code of an error that an attempt recorded by its class's name."""
    for known, _ in CODES:
        for kind in family(known):
            if kind.__name__ == name:
                return code_of(kind)
    return Exit.FAILED


def family(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def code_of_task(task: Task, error: str | None) -> Exit:
    """What a command that waited for this task ends with. `error`: the class name that its last attempt recorded."""
    if task.state is State.SUCCEEDED:
        return Exit.OK
    if task.state is State.HELD:
        return Exit.HELD
    if task.state in (State.NEW, State.READY, State.RUNNING):
        return Exit.TEMPORARY
    return code_of_name(error)


def together(codes: Iterable[Exit]) -> Exit:
    """One code for many tasks: theirs if they agree, PARTLY if some were done, else the first that was not."""
    found = list(codes)
    failed = [code for code in found if code is not Exit.OK]
    if not failed:
        return Exit.OK
    return Exit.PARTLY if len(failed) < len(found) else failed[0]
