"""Many pieces of work side by side in one thread, on one SFTP session or on several."""

import select
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from targets.sftp import fields
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work

T = TypeVar("T")

_TURN = 8
"""Steps of one session's works before it is the next session's turn: each gets its share of what has not begun."""


class Begin(NamedTuple, Generic[T]):
    """Begins a piece of work on the session that has hands free."""

    work: Callable[[Session], Work[T]]
    hands: int = 1
    """How many it takes."""


def drive(sessions: Sequence[Session], begins: Iterable[Begin[T]], hands: int) -> Iterator[T]:
    """Run works side by side and give their results as they come. `hands`: with fewer at work a session begins one more.

    Sessions that are added to the sequence meanwhile get their share. The first work that raises ends them all: the others are
    closed (each tidies up after itself) and its error is raised.
    """
    fresh = iter(begins)
    crews: dict[Session, _Crew[T]] = {}
    try:
        while True:
            for session in list(sessions):
                if session not in crews:
                    crews[session] = _Crew(session, hands)
                yield from crews[session].go_on(fresh)
            if not any(crew.moved for crew in crews.values()):
                if not any(crew.live for crew in crews.values()):
                    return
                _await([session for session in crews if session.waiting])
    finally:
        for session, crew in crews.items():
            if crew.live:
                session.abandon(crew.live)


class _Crew(Generic[T]):
    """The works of one session: who may go on, who waits for room, who is not done yet."""

    def __init__(self, session: Session, hands: int) -> None:
        self._session = session
        self._hands = hands
        self._busy = 0
        self._ready: deque[Work[T]] = deque()
        self._starved: deque[Work[T]] = deque()
        self.live: dict[Work[T], int] = {}
        """How many hands each has."""
        self.moved = False
        """Whether anybody could go on in the last turn. If not, nobody can before something is received."""

    def go_on(self, fresh: Iterator[Begin[T]]) -> Iterator[T]:
        """One turn: let some works go on, and give the results of those that end by it."""
        self.moved = False
        for _ in range(_TURN):
            work = self._take(fresh)
            if work is None:
                return
            self.moved = True
            try:
                wanted = next(work)
            except StopIteration as end:
                self._busy -= self.live.pop(work)
                yield end.value
            except fields.Garbled as error:
                self._session.distrust(error)
            else:
                self._put_back(work, wanted)

    def _take(self, fresh: Iterator[Begin[T]]) -> Work[T] | None:
        """Who goes on next: finishing comes before beginning."""
        if self._ready:
            return self._ready.popleft()
        if not self._session.room:
            return None
        if self._starved:
            return self._starved.popleft()
        begin = next(fresh, None) if self._busy < self._hands else None
        if begin is None:
            return None
        work = begin.work(self._session)
        self.live[work] = begin.hands
        self._busy += begin.hands
        return work

    def _put_back(self, work: Work[T], wanted: Ticket | None) -> None:
        """He waits: for room, or for an answer."""
        if wanted is None:
            self._starved.append(work)
        elif wanted.left:
            wanted.work, wanted.ready = work, self._ready
        else:
            self._ready.append(work)


def _await(sessions: Sequence[Session]) -> None:
    """Wait until at least one of them has received something."""
    if len(sessions) == 1:
        sessions[0].receive()
        return
    for session in sessions:
        session.push()
    ready = [session for session in sessions if session.readable] or _poll(sessions)
    if not ready:
        sessions[0].fail_idle()
    for session in ready:
        session.receive()


def _poll(sessions: Sequence[Session]) -> Sequence[Session]:
    """Those for which something has come: data, or the end."""
    by_number = {session.fileno(): session for session in sessions}
    poll = select.poll()
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(sessions[0].idle * 1000)]
