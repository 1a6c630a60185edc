"""How long an engine may trust that its tasks are its own, and the thread that keeps it so."""

import time
from collections.abc import Callable
from threading import Condition, Event, Thread

import structlog

from config import QueueSettings
from database import DatabaseError, DatabaseUnavailable, Engine, Leases, Renewal, Restoration
from targets import Fenced

log = structlog.get_logger(__name__)

IMPATIENT = 1.0
"""Seconds to the next heartbeat after one that the database did not answer: the lease is running out, or is over already."""
FORBEARANCE = 10
"""So many leases long an engine waits for the database after the end of its own; then it goes."""


class Lease:
    """What the heartbeat knows, for every thread of the engine.

    The database counts the lease from the moment it wrote it. This process counts from the moment it asked, on its own
    clock that never jumps, and stops a margin earlier: so it stops trusting the lease before anybody else may take it.

    A lease that ran out because the database did not answer is not lost: perhaps nobody took anything. Until the database
    says which it is, whoever asks here waits, and touches nothing.
    """

    def __init__(self, queue: QueueSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._queue, self.clock = queue, clock
        self._until = 0.0
        self._lost = False
        self._told = Condition()
        self.cancelled: frozenset[int] = frozenset()
        """Running tasks that somebody asked to cancel."""
        self.dismissed = False
        """The environment is drained: the engine leaves when nothing is left to do, and does not linger."""

    def renewed(self, sent: float, renewal: Renewal | None = None) -> None:
        """The database agreed to a request that was sent at that moment."""
        with self._told:
            self._until = sent + self._queue.lease - self._queue.margin
            if renewal:
                self.cancelled, self.dismissed = renewal.cancelled, renewal.drained
            self._told.notify_all()

    def lose(self) -> None:
        """The database says that it is over, or the engine goes; it never comes back."""
        with self._told:
            self._lost = True
            self._told.notify_all()

    @property
    def lost(self) -> bool:
        """Whether it is over for good."""
        return self._lost

    @property
    def trusted(self) -> bool:
        """Whether the tasks are surely still this engine's."""
        return not self._lost and self.clock() < self._until

    @property
    def overdue(self) -> float:
        """Seconds since it can be trusted no more; less than none while it can."""
        return self.clock() - self._until

    def check(self) -> None:
        """Return while the tasks are surely ours; wait while nobody can say. Raises Fenced if they are somebody else's."""
        if self.trusted:
            # Nearly always; asked for every file.
            return
        with self._told:
            self._told.wait_for(lambda: self._lost or self.trusted, (FORBEARANCE + 1) * self._queue.lease)
        if not self.trusted:
            raise Fenced("the engine's lease is over; another engine goes on with its tasks")


class Heartbeat:
    """Renews the lease from a thread of its own, over a connection of its own, so that no work can delay it."""

    def __init__(
        self,
        leases: Leases,
        restoration: Restoration,
        engine: Engine,
        lease: Lease,
        queue: QueueSettings,
        wake: Callable[[], None],
    ) -> None:
        self._restoration = restoration
        self._leases, self._engine, self._lease, self._queue, self._wake = leases, engine, lease, queue, wake
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin; the lease was just registered."""
        self._thread.start()

    def stop(self) -> None:
        """No beat comes after this returns."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        pause = self._queue.heartbeat
        while not self._stopped.wait(pause):
            pause = self._beat()
            if pause < 0:
                self._wake()
                return

    def _beat(self) -> float:
        """One renewal; seconds to the next, or less than none when there is no more to renew."""
        sent = self._lease.clock()
        try:
            renewal = self._leases.renew(self._engine, self._queue.lease)
            self._restoration.saw(renewal.fence)
            self._lease.renewed(sent, renewal)
        except DatabaseUnavailable as error:
            log.warning("heartbeat missed", engine=self._engine.start, reason=str(error))
            if self._lease.overdue < FORBEARANCE * self._queue.lease:
                return min(IMPATIENT, self._queue.heartbeat)
            self._lease.lose()
            return -1
        except DatabaseError as error:
            # Somebody else's by now; or this is not the queue that it was, and nobody can say any more.
            log.critical("lease lost", engine=self._engine.start, reason=str(error))
            self._lease.lose()
            return -1
        return self._queue.heartbeat
