"""The main loop of an engine: looks, claims, starts, writes results; the workers do the rest. It waits for the bell alone."""

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import structlog

from database import Claims, DatabaseUnavailable, LeaseLost, Result, Task
from engines.bell import Bell, Ring
from engines.lanes import TargetLane, lane_names
from engines.outlook import Outlook
from engines.workshop import Workshop

log = structlog.get_logger(__name__)

DONE, LEASE_LOST = 0, 75

REPORT_EVERY = 1.0
"""Seconds between two writes of progress."""
WRITE_EVERY = 0.5
"""Seconds between two writes of results alone while tasks are at work whose results come next: each costs a commit."""
URGENT_EVERY = 1.0
"""Seconds between two looks for takedowns while nobody has room for anything else, unless something new comes."""
OUTAGE_PAUSE = 1.0
"""Seconds before the database is asked again after it did not answer."""
GIVE_BACK = 8.0
"""Seconds that tasks get to give themselves back after the grace, less than the daemon waits before it kills."""


class Loop:
    """One run of an engine. `stop` and `harder` are asked, never waited for."""

    def __init__(
        self, workshop: Workshop, outlook: Outlook, bell: Bell, *, stop: Callable[[], bool], harder: Callable[[], bool]
    ) -> None:
        self._workshop, self._outlook, self._bell = workshop, outlook, bell
        self._stop, self._harder = stop, harder
        self._clock = workshop.lease.clock
        self._claims: Claims = workshop.claims
        self._ended: SimpleQueue[tuple[TargetLane, Task, Result | None]] = SimpleQueue()
        self._finished: list[Result] = []
        self._awaited = False
        """Whether the next task of a target that takes one at a time can be claimed only once they are written."""
        self._lanes = self._lanes_for(lane_names(workshop.environment))
        self._urgent: dict[str, TargetLane] = {}
        self._complete = self._ready = False
        self._reported = self._urgent_at = self._written = 0.0

    def run(self) -> int:
        """Until idle, lingering, stopped (0), or the lease is lost (75)."""
        while not self._workshop.lease.lost:
            if self._stop():
                return self._drain()
            try:
                self._turn()
                pause = self._outlook.pause(idle=self._idle)
                if pause is not None and self._finished:
                    pause = min(pause, self._patience)
            except LeaseLost as error:
                log.critical("lease lost", engine=self._workshop.engine.start, reason=str(error))
                break
            except DatabaseUnavailable as error:
                log.warning("database unavailable", reason=str(error))
                self._outlook.outage()
                pause = OUTAGE_PAUSE
            if pause is None or (self._idle and self._workshop.lease.dismissed):
                return DONE
            if self._idle:
                self._get_ready()
            if said := self._bell.wait(pause):
                self._outlook.rung(said)
                if said is Ring.NEWS:
                    # It may be a takedown.
                    self._urgent_at = 0.0
        self._workshop.lease.lose()
        return LEASE_LOST

    def close(self) -> None:
        """Dismiss the workers."""
        for lane in self._every_lane:
            lane.dismiss()

    def _note_end(self, lane: TargetLane, task: Task, result: Result | None) -> None:
        """Called by a worker."""
        self._ended.put((lane, task, result))
        self._bell.ring()

    @property
    def _every_lane(self) -> list[TargetLane]:
        return [*self._urgent.values(), *self._lanes]

    @property
    def _idle(self) -> bool:
        return not self._finished and all(lane.idle for lane in self._every_lane)

    @property
    def _patience(self) -> float:
        """Seconds for which results may still wait for further ones."""
        if self._awaited or not any(lane.busy for lane in self._every_lane):
            return 0.0
        return max(self._written + WRITE_EVERY - self._clock(), 0.0)

    def _turn(self) -> None:
        if not self._complete:
            self._complete_lanes()
        self._collect()
        # Results go out before the next claim: what waits for them can be claimed then.
        self._begin()
        self._outlook.look()
        if self._claim():
            self._begin()
        self._report()

    def _complete_lanes(self) -> None:
        """Once, with the first turn, when the database is asked anyway: what left the configuration is waited for no longer."""
        left = self._claims.waited_for(self._workshop.engine.environment)
        names = lane_names(self._workshop.environment, left)
        self._lanes += self._lanes_for(names[len(self._lanes) :])
        self._complete = True

    def _get_ready(self) -> None:
        """Once, with nothing to do: a task that comes first is not kept waiting."""
        if not self._ready:
            self._ready = True
            self._workshop.get_ready()

    def _lanes_for(self, names: Sequence[str]) -> list[TargetLane]:
        return [TargetLane(name, self._workshop, self._note_end) for name in names]

    def _collect(self) -> None:
        while True:
            try:
                lane, _, result = self._ended.get_nowait()
            except Empty:
                return
            lane.busy -= 1
            if result is not None:
                self._finished.append(result)
                self._awaited |= lane.exclusive
            self._outlook.something_ended()

    def _claim(self) -> bool:
        """Look what waits, when there is room for it or it may be a takedown, and take of it; whether anything came."""
        now, outlook = self._clock(), self._outlook
        # After an outage the heartbeat asks first: a claim would be refused, although the tasks are this engine's still.
        if not outlook.due or not self._workshop.lease.trusted:
            return False
        wishes = [wish for lane in self._lanes if (wish := lane.wish())] if outlook.may_claim() else []
        if not wishes and now < self._urgent_at:
            return False
        self._urgent_at = now + URGENT_EVERY
        waiting = self._claims.waiting(self._workshop.engine.environment)
        urgent = self._claim_urgent(waiting.urgent)
        if not wishes:
            return urgent
        if not waiting.due:
            outlook.nothing_waits()
            return urgent
        tasks = self._claims.claim(self._workshop.engine, wishes)
        outlook.claimed(len(tasks))
        for lane in self._lanes:
            mine = [task for task in tasks if (task.target or self._workshop.environment.origin) == lane.target]
            if mine:
                lane.take(mine)
        return bool(tasks) or urgent

    def _claim_urgent(self, targets: frozenset[str]) -> bool:
        """Takedowns, in lanes of their own: other work may keep every worker of a target busy for hours."""
        for name in sorted(targets - self._urgent.keys()):
            self._urgent[name] = TargetLane(name, self._workshop, self._note_end, urgent=True)
        wishes = [wish for name in sorted(targets) if (wish := self._urgent[name].wish())]
        tasks = self._claims.claim(self._workshop.engine, wishes) if wishes else []
        for name in targets:
            mine = [task for task in tasks if task.target == name]
            if mine:
                self._urgent[name].take(mine)
        if tasks:
            self._outlook.claimed(len(tasks))
        return bool(tasks)

    def _begin(self) -> None:
        """Start the next chunk of every lane and write what has ended, in one commit where there is both."""
        chunks = [(lane, lane.next_chunk()) for lane in self._every_lane]
        tasks = [task for _, chunk in chunks for task in chunk]
        if not tasks:
            if not self._patience:
                self._write()
            return
        try:
            ours = self._claims.start(self._workshop.engine, tasks, self._finished)
        except DatabaseUnavailable:
            for lane, chunk in chunks:
                lane.put_back(chunk)
            raise
        self._note_written()
        for lane, chunk in chunks:
            for task in chunk:
                if task.id in ours:
                    lane.begin(task)
                else:
                    log.warning("task lost before it began", task=task.id, url=task.url)

    def _write(self) -> None:
        if not self._finished:
            return
        lost = self._claims.finish(self._workshop.engine, self._finished)
        self._note_written()
        if lost:
            log.warning("results refused: the tasks are somebody else's by now", tasks=sorted(lost))

    def _note_written(self) -> None:
        if self._finished:
            leaving = any(result.new_tasks or result.outcome.again for result in self._finished)
            self._finished.clear()
            self._awaited = False
            self._written = self._clock()
            # What waited for these could not be claimed before, even if that was tried meanwhile.
            self._outlook.something_ended(leaving=leaving)

    def _report(self) -> None:
        now = self._clock()
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            newest = self._workshop.reports.take()
            if newest:
                self._claims.progress(self._workshop.engine, newest)

    def _drain(self) -> int:
        """Let running tasks end within the grace, then ask for them back. What was not started is returned by leaving."""
        grace_ends = self._clock() + self._workshop.settings.engine.stop_grace
        log.info("engine stopping", running=sum(lane.busy for lane in self._every_lane))
        while self._finished or any(lane.busy for lane in self._every_lane):
            now = self._clock()
            if not self._workshop.lease.trusted:
                return LEASE_LOST
            if not self._workshop.released and (now >= grace_ends or self._harder()):
                self._workshop.released = True
                grace_ends = now
                log.info("running tasks asked back", running=sum(lane.busy for lane in self._every_lane))
            if self._workshop.released and now >= grace_ends + GIVE_BACK:
                log.warning("engine leaves running tasks", running=sum(lane.busy for lane in self._every_lane))
                break
            self._settle()
            self._bell.wait(0.2)
        self._settle()
        return DONE

    def _settle(self) -> None:
        try:
            self._collect()
            self._write()
            self._report()
        except DatabaseUnavailable as error:
            log.warning("database unavailable", reason=str(error))
