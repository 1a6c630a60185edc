"""What ends a task, beside the faults of sources, targets, slips and the store.

TaskError
├── PlanHeld          a guard wants a person: the task waits for an approval of exactly this plan
├── PlanRefused       a rule stands against the plan that no approval waives: the slip or the target must be corrected
├── VersionGone       the version that the task is bound to cannot be had any more
├── NotAsked          the row asks for something that its action or environment cannot do
├── NotYet            nothing is wrong, but what it waits for needs more time
├── NotDeposited      a retired module cannot go before the archive has it
├── Malformed         what was fetched to be published is empty or not what it should be
├── Drifted           the target does not hold what its own slip lists
├── StillThere        what was taken down is still on the target
├── TakenDown         the module is taken down: nothing of it is published
├── Cancelled         somebody asked to cancel it, and nothing is visible yet
└── Released          the engine stops and nothing is visible yet: the task is given back unharmed
"""

from typing import Any


class TaskError(Exception):
    """Ends the attempt; the message is the reason that people read."""


class PlanHeld(TaskError):
    """`digest` (hex) is what an approval names, `document` what the person looks at first."""

    def __init__(self, message: str, digest: str, document: dict[str, Any]) -> None:
        self.digest, self.document = digest, document
        super().__init__(message)


class PlanRefused(TaskError):
    """The plan breaks a rule."""


class VersionGone(TaskError):
    """Neither the content store nor a target has the bytes of that version."""


class NotAsked(TaskError):
    """There is nothing here that does this."""


class NotYet(TaskError):
    """Too early; `retry_after` seconds are to be waited."""

    def __init__(self, message: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NotDeposited(TaskError):
    """The module's deposit is not confirmed."""


class Malformed(TaskError):
    """An answer that must not go live."""


class Drifted(TaskError):
    """Files of the module are missing or differ."""


class StillThere(TaskError):
    """Files of a module that was removed."""


class TakenDown(TaskError):
    """A person took the module down everywhere, and nobody lifted that."""


class Cancelled(TaskError):
    """Cancelled on request."""


class Released(TaskError):
    """Given back."""
