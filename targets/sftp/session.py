"""Many requests under way at once on one SFTP channel, each reply matched by its id.

A piece of work (one file to store, one folder to list) is a generator: it sends what it can, yields the ticket it must wait for,
or None where it waits for room, and returns its result. `drive` runs many of them side by side in one thread. A reply
that nobody asked for, or that makes no sense, ends the session: after that no answer could be trusted.
"""

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import paramiko

from targets.errors import TargetUnfit, TargetUnreachable
from targets.sftp import wire

WINDOW_BYTES = 4 * 1024 * 1024
"""Bytes of requests and of awaited replies under way. OpenSSH's channel takes 2 MiB before it waits: twice that keeps the pipe
full, and is less than the connection's own window, so that neither side can wait for the other for ever."""
WINDOW_REQUESTS = 2048

_PACKET = 32 * 1024
"""What an SSH channel packet holds at most."""
_FLUSH = 4 * _PACKET
"""Bytes of requests that are collected before a channel packet goes out; a wait sends what there is."""
_DEFAULT_CHUNK = 32 * 1024
"""What every server of version 3 takes in one READ or WRITE."""
_LARGEST_CHUNK = 256 * 1024

T = TypeVar("T")


class Ticket:
    """One request under way; `reply` is set when it was answered."""

    __slots__ = ("cost", "ready", "reply", "work")

    def __init__(self, cost: int) -> None:
        self.cost = cost
        """Bytes of the request and of the awaited reply."""
        self.reply: wire.Reply | None = None
        self.work: Work[Any] | None = None
        """Who waits for it, ..."""
        self.ready: deque[Work[Any]] | None = None
        """... and the queue he stands in once it is answered."""


Work = Generator[Ticket | None, None, T]


class Pipe(Protocol):
    """The byte stream below: a channel."""

    def send(self, data: bytes, /) -> int: ...
    def recv(self, count: int, /) -> bytes: ...
    def recv_stderr_ready(self) -> bool: ...
    def recv_stderr(self, count: int, /) -> bytes: ...


class _Crew(Generic[T]):
    """The works that one `drive` runs: who may go on, who waits for room, who is not done yet."""

    def __init__(self, works: Iterable[Work[T]], at_once: int) -> None:
        self._fresh = iter(works)
        self._at_once = at_once
        self._ready: deque[Work[T]] = deque()
        self._starved: deque[Work[T]] = deque()
        self.live: set[Work[T]] = set()

    def take(self, *, room: bool) -> Work[T] | None:
        """Who goes on next: finishing comes before beginning."""
        if self._ready:
            return self._ready.popleft()
        if not room:
            return None
        if self._starved:
            return self._starved.popleft()
        work = next(self._fresh, None) if len(self.live) < self._at_once else None
        if work is not None:
            self.live.add(work)
        return work

    def put_back(self, work: Work[T], wanted: Ticket | None) -> None:
        """He waits: for room, or for an answer."""
        if wanted is None:
            self._starved.append(work)
        elif wanted.reply is not None:
            self._ready.append(work)
        else:
            wanted.work, wanted.ready = work, self._ready


class Session:
    """SFTP version 3 over one pipe. Used by one thread at a time.

    Every method raises TargetUnreachable when the connection is cut, silent for too long, or talks nonsense, and ever after.
    """

    def __init__(self, pipe: Pipe, place: str, *, in_order: bool, idle: float) -> None:
        self._pipe = pipe
        self.place = place
        self.in_order = in_order
        """Whether the server is known to carry out what is under way strictly one after the other."""
        self._idle = idle
        self._out = bytearray()
        self._in = bytearray()
        self._pending: dict[int, Ticket] = {}
        self._afterthoughts: deque[wire.Request] = deque()
        self._bytes = 0
        self._number = 0
        self.broken: TargetUnreachable | None = None
        self.extensions: Mapping[str, str] = self._greet()
        self.read_size, self.write_size, self.handles = self._limits()

    @property
    def room(self) -> bool:
        """Whether one more request may be sent."""
        return self._bytes < WINDOW_BYTES and len(self._pending) < WINDOW_REQUESTS

    def send(self, request: wire.Request, awaited: int = 0) -> Ticket:
        """Put a request on its way. `awaited`: bytes of the reply where they are many."""
        if self.broken is not None:
            raise self.broken
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        packet = wire.pack(request, number)
        ticket = Ticket(len(packet) + awaited)
        self._pending[number] = ticket
        self._bytes += ticket.cost
        self._out += packet
        if len(self._out) >= _FLUSH:
            self._flush()
        return ticket

    def later(self, request: wire.Request) -> None:
        """Send this at some time, and care for no reply. May be called by the garbage collector at any moment."""
        self._afterthoughts.append(request)

    def make_room(self) -> None:
        """Wait until one more request may be sent."""
        while not self.room:
            self._receive()

    def wait(self, ticket: Ticket) -> wire.Reply:
        """The reply, however long it takes (the idle time-out applies)."""
        while ticket.reply is None:
            self._receive()
        return ticket.reply

    def finish(self, work: Work[T]) -> T:
        """One piece of work, to its end."""
        return next(self.drive([work], at_once=1))

    def drive(self, works: Iterable[Work[T]], at_once: int) -> Iterator[T]:
        """Run works side by side, at most so many, and give their results as they come.

        The first that raises ends them all: the others are closed (each tidies up after itself) and its error is raised.
        """
        crew = _Crew(works, at_once)
        try:
            while True:
                work = crew.take(room=self.room)
                if work is None:
                    if not crew.live:
                        return
                    self._receive()
                    continue
                try:
                    wanted = next(work)
                except StopIteration as end:
                    crew.live.discard(work)
                    yield end.value
                except wire.Garbled as error:
                    self.distrust(error)
                else:
                    crew.put_back(work, wanted)
        finally:
            self._abandon(crew.live)

    def distrust(self, error: wire.Garbled) -> NoReturn:
        """A reply's content made no sense."""
        self._break(f"{self.place} sent something that is not SFTP: {error}", error)

    def _abandon(self, live: Iterable[Work[T]]) -> None:
        """Close works that will not be finished, and wait until what they send to tidy up was answered."""
        left = list(live)
        with contextlib.suppress(TargetUnreachable):
            for work in left:
                work.close()
            while left and (self._pending or self._afterthoughts) and self.broken is None:
                self._receive()

    def _receive(self) -> None:
        """Send what is collected, wait for at least one byte, hand out every whole reply."""
        if self.broken is not None:
            raise self.broken
        while self._afterthoughts:
            self.send(self._afterthoughts.popleft())
        self._flush()
        self._in += self._read()
        try:
            for kind, rest in wire.packets(self._in):
                self._hand_out(*wire.numbered(kind, rest))
        except wire.Garbled as error:
            self.distrust(error)

    def _hand_out(self, number: int, reply: wire.Reply) -> None:
        ticket = self._pending.pop(number, None)
        if ticket is None:
            raise wire.Garbled(f"a reply to request {number}, which nobody made")
        self._bytes -= ticket.cost
        ticket.reply = reply
        if ticket.ready is not None and ticket.work is not None:
            ticket.ready.append(ticket.work)

    def _flush(self) -> None:
        out, self._out = self._out, bytearray()
        at = 0
        while at < len(out):
            try:
                sent = self._pipe.send(bytes(out[at : at + _PACKET]))
            except TimeoutError as error:
                self._break(f"{self.place} took no data for {self._idle:g} s", error)
            except (OSError, EOFError, paramiko.SSHException) as error:
                self._break(f"the connection to {self.place} was cut while sending: {error}", error)
            if not sent:
                self._break(f"{self.place} closed the connection", None)
            at += sent

    def _read(self) -> bytes:
        try:
            received = self._pipe.recv(_LARGEST_CHUNK)
            if self._pipe.recv_stderr_ready():
                # Never shown, but unread it would fill the window that the replies need.
                self._pipe.recv_stderr(_LARGEST_CHUNK)
        except TimeoutError as error:
            self._break(f"{self.place} did not answer for {self._idle:g} s", error)
        except (OSError, EOFError, paramiko.SSHException) as error:
            self._break(f"the connection to {self.place} was cut: {error}", error)
        if not received:
            self._break(f"{self.place} closed the connection", None)
        return received

    def _break(self, what: str, cause: Exception | None) -> NoReturn:
        """Nothing more is believed or sent; what was under way may or may not have happened."""
        self.broken = TargetUnreachable(f"{what}.")
        raise self.broken from cause

    def _greet(self) -> Mapping[str, str]:
        self._out += wire.hello()
        self._flush()
        try:
            while not (packets := list(wire.packets(self._in))):
                self._in += self._read()
            number, extensions = wire.version(*packets[0])
        except wire.Garbled as error:
            self._break(f"{self.place} did not begin SFTP; does the account's login script print something? {error}", error)
        if number < wire.VERSION:
            raise TargetUnfit(f"{self.place} speaks SFTP version {number}; version {wire.VERSION} is needed.")
        return extensions

    def _limits(self) -> tuple[int, int, int]:
        """Bytes of one READ, of one WRITE, and files open at once."""
        said: wire.Limits | wire.Status | None = None
        if wire.LIMITS in self.extensions:
            said = wire.limits_of(self.wait(self.send(wire.limits())))
        if not isinstance(said, wire.Limits):
            return _DEFAULT_CHUNK, _DEFAULT_CHUNK, 64
        return (
            min(said.read or _DEFAULT_CHUNK, _LARGEST_CHUNK),
            min(said.write or _DEFAULT_CHUNK, _LARGEST_CHUNK),
            said.handles or 64,
        )


def ask(session: Session, request: wire.Request, awaited: int = 0) -> Work[wire.Reply]:
    """One request, when there is room for it, and its reply."""
    while not session.room:
        yield None
    ticket = session.send(request, awaited)
    return (yield from answer(ticket))


def ask_all(session: Session, requests: Iterable[wire.Request]) -> Work[list[wire.Reply]]:
    """Many requests, each carried out after the one before it, and their replies in that order.

    The protocol promises order only within one file; a server that is not known to keep it gets them one by one.
    """
    tickets: list[Ticket] = []
    for request in requests:
        while not session.room:
            yield None
        tickets.append(session.send(request))
        if not session.in_order:
            yield from answer(tickets[-1])
    replies = []
    for ticket in tickets:
        replies.append((yield from answer(ticket)))
    return replies


def answer(ticket: Ticket) -> Work[wire.Reply]:
    """Wait for it inside a work."""
    while ticket.reply is None:
        yield ticket
    return ticket.reply
