"""What a running task shows to a target."""

from collections.abc import Callable

from database import Engine, LeaseLost, Leases, Task, TaskLost
from engines.lease import Lease
from targets import AreaMissing, Fenced


def nothing_live(_: str) -> str | None:
    """What a queue that remembers nothing says of any target."""
    return None


class TaskClaim:
    """Implements `targets.Claim` for one attempt at one task. Used by one worker. `live`: a module that is live on a target."""

    def __init__(
        self,
        queue: str,
        engine: Engine,
        task: Task,
        lease: Lease,
        leases: Leases,
        nonce: Callable[[], str],
        live: Callable[[str], str | None] = nothing_live,
    ) -> None:
        self.queue = queue
        self.fence, self.serial, self.nonce = task.fence, task.serial, nonce()
        self._engine, self._task, self._lease, self._leases, self._new_nonce = engine, task.id, lease, leases, nonce
        self._ahead: float | None = None
        self._live = live

    def renew(self, above: int) -> None:
        """Numbers above what was found on the target, for instance after the queue's database was restored."""
        self._lease.check()
        try:
            self.fence, self.serial = self._leases.raise_fence(self._engine, self._task, above)
        except TaskLost as error:
            raise Fenced(str(error)) from error
        except LeaseLost as error:
            self._lease.lose()
            raise Fenced(str(error)) from error
        self.nonce = self._new_nonce()

    def check(self) -> None:
        """Raise Fenced if the engine may no longer trust its lease."""
        self._lease.check()

    def begins(self, target: str) -> None:
        """A root that was changed, or a disk that is mounted elsewhere, looks like a target that nothing was ever put on."""
        url = self._live(target)
        if url is not None:
            raise AreaMissing(
                f"{target}: nothing of Slipway's is there, but modules are live there by the record, such as {url}. Look whether "
                "its root is the right one and the right disk is mounted. If it was emptied or replaced, "
                f"'slipway target adopt {target}' makes it this queue's; then publish again what belongs there",
                target=target,
            )

    def now(self) -> int:
        """The database's clock, asked once; from then on it is counted by the clock of this process that never jumps."""
        if self._ahead is None:
            self._ahead = self._leases.now().timestamp() - self._lease.clock()
        return int(self._lease.clock() + self._ahead)
