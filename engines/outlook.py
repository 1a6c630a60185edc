"""When an engine looks at the queue, claims, and has nothing more to do; it polls where no daemon polls for it."""

from collections.abc import Callable

import structlog

from config import Settings
from database import Intake, Poll, Takeover
from engines.bell import Bell, Ring

log = structlog.get_logger(__name__)

ACCEPTED = 500
"""Rows taken in by one transaction; when it was full, there may be more."""
TREND_EVERY = 30.0
"""Seconds between two looks at what has ended, for the trends, once all is added up."""
CLAIM_PAUSES = (1.0, 2.0, 3.0, 4.0, 5.0)
"""Seconds after the first, second, ... empty claim in a row, unless something new comes. "Due" also says yes for tasks that
nobody can claim now: behind an open breaker, in a module at work, dependents that wait."""
IDLE_PAUSE = 0.3
"""The same while a person or cron waits for the end."""
IDLE_TRIES = 3
"""Empty claims after which an engine that runs until idle believes that what is due cannot be claimed."""
SETTLED = 0.1
"""Seconds after the last task at which a look counts: rows it made may be due only a moment later, by a rounded clock."""
ATTENDED_PAUSE = 1.0
"""Seconds after which an engine looks around although nothing rang: it may have to write progress, to stop, or to end."""


class Outlook:
    """What is due, and what that means for one engine."""

    def __init__(
        self,
        settings: Settings,
        environment: str,
        intake: Intake,
        takeover: Takeover,
        bell: Bell,
        clock: Callable[[], float],
        *,
        until_idle: bool,
    ) -> None:
        self._settings, self._environment = settings, environment
        self._intake, self._takeover, self._bell, self._clock = intake, takeover, bell, clock
        self._until_idle = until_idle
        self._pauses = (IDLE_PAUSE,) if until_idle else CLAIM_PAUSES
        self._due = True
        self._nothing = False
        """Whether the database had nothing due here. What comes, the daemon rings for: an end changes nothing of it."""
        self._empty = 0
        self._claim_at = self._poll_at = self._looked_at = self._trend_at = 0.0
        self._dead = False
        self._active = clock()

    def rung(self, said: Ring) -> None:
        """The daemon says that something is due here."""
        self._due, self._nothing = True, False
        if said is Ring.NEWS:
            self._forgive()

    def something_ended(self, *, leaving: bool = False) -> None:
        """What waited for it can be claimed now. `leaving`: it is due again itself, or made something that may be."""
        self._active = self._clock()
        if leaving or not self._nothing:
            self._due, self._nothing = True, False
            self._forgive()

    def claimed(self, count: int) -> None:
        """So many tasks came of a claim."""
        if count:
            self._active = self._clock()
            self._forgive()
            return
        self._empty += 1
        self._claim_at = self._clock() + self._pauses[min(self._empty, len(self._pauses)) - 1]
        if self._bell.attended:
            self._due = False

    def nothing_waits(self) -> None:
        """The database has nothing that is due here."""
        if self._bell.attended:
            self._due, self._nothing = False, True
        else:
            self.claimed(0)

    def _forgive(self) -> None:
        self._empty, self._claim_at = 0, 0.0

    @property
    def due(self) -> bool:
        """Whether something waits here, though perhaps nobody can take it now."""
        return self._due

    def may_claim(self) -> bool:
        """Whether a claim may find something."""
        return self._due and self._clock() >= self._claim_at

    def outage(self) -> None:
        """The database did not answer. After that every lease looks expired: who lives gets time to renew."""
        self._takeover.outage()

    def look(self) -> None:
        """Poll, if no daemon does: take rows in, sweep, rescue. Raises DatabaseUnavailable."""
        now = self._clock()
        if self._bell.attended or now < self._poll_at:
            return
        poll = self._intake.poll()
        self._looked_at, self._poll_at = now, now + self._settings.queue.poll
        if self._tidy(poll):
            poll = self._intake.poll()
        due = self._environment in poll.due
        if due and not self._due:
            self._forgive()
        self._due, self._nothing = due, False

    def _tidy(self, poll: Poll) -> bool:
        """What whoever polls does for all; whether that may have made something due."""
        if poll.intake:
            while (accepted := self._intake.accept(self._settings, ACCEPTED)) >= ACCEPTED:
                pass
            if accepted:
                self._forgive()
        if poll.cancel:
            self._intake.sweep()
        if poll.takedowns:
            self._intake.settle_takedowns()
        if poll.unsealed:
            self._intake.seal()
        if self._clock() >= self._trend_at and self._intake.add_up(ACCEPTED) < ACCEPTED:
            self._trend_at = self._clock() + TREND_EVERY
        rescued = poll.dead and bool(self._takeover.rescue())
        self._dead = poll.dead and not rescued
        return poll.intake or rescued

    def pause(self, *, idle: bool) -> float | None:
        """Seconds to wait for the bell; None: the engine has nothing more to do."""
        if idle and self._over():
            return None
        if not self._bell.attended:
            return self._settings.queue.poll
        # What changes meanwhile rings: the daemon, a worker that has ended, the heartbeat.
        wait = self._claim_at - self._clock() if self._due else 0.0
        return min(wait, ATTENDED_PAUSE) if wait > 0 else ATTENDED_PAUSE

    def _over(self) -> bool:
        if self._until_idle:
            # Somebody may be dead whose tasks nobody else would take over: from cron, only such engines look.
            waits = self._dead and self._takeover.patient
            looked = self._looked_at - self._active >= SETTLED
            return looked and not waits and (not self._due or self._empty >= IDLE_TRIES)
        return not self._due and self._clock() - self._active >= self._settings.engine.linger
