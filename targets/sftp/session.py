"""Many requests under way at once on one SFTP channel, each reply matched by its id.

A piece of work (one file to store, one folder to list) is a generator: it sends what it can, yields the ticket it must wait for,
or None where it waits for room, and returns its result. `crew.drive` runs many of them side by side in one thread. A reply
that nobody asked for, or that makes no sense, ends the session: after that no answer could be trusted.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn, Protocol, TypeVar

import paramiko

from targets.errors import TargetUnfit, TargetUnreachable
from targets.sftp import fields, framing, wire
from targets.sftp.tickets import IDS, Ticket, Work

WINDOW_BYTES = 4 * 1024 * 1024
"""Bytes of requests and of awaited replies under way. OpenSSH's channel takes 2 MiB before it waits: twice that keeps the pipe
full, and is less than the connection's own window, so that neither side can wait for the other for ever."""
WINDOW_REQUESTS = 2048

_PACKET = 32 * 1024
"""What an SSH channel packet holds at most."""
_FLUSH = 4 * _PACKET
"""Bytes of requests that are collected before they go out together; a wait sends what there is."""
_DEFAULT_CHUNK = 32 * 1024
"""What every server of version 3 takes in one READ or WRITE."""
_LARGEST_CHUNK = 256 * 1024
_MANY = 64
"""Replies that are awaited where nobody is in a hurry for the first of them: the server has enough to do."""

T = TypeVar("T")


class Pipe(Protocol):
    """The byte stream below: a channel."""

    def send(self, data: bytes, /) -> int: ...
    def recv(self, count: int, /) -> bytes: ...
    def recv_ready(self) -> bool: ...
    def fileno(self) -> int: ...
    def recv_stderr_ready(self) -> bool: ...
    def recv_stderr(self, count: int, /) -> bytes: ...


class Session:
    """SFTP version 3 over one pipe. Used by one thread at a time.

    Every method raises TargetUnreachable when the connection is cut, silent for too long, or talks nonsense, and ever after.
    """

    def __init__(
        self,
        pipe: Pipe,
        place: str,
        *,
        in_order: bool,
        idle: float,
        gather: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`gather` is told whether so many replies are awaited that it is better to take several of them at once."""
        self._pipe, self._gather, self._clock = pipe, gather, clock
        self.place = place
        self.in_order = in_order
        """Whether the server is known to carry out what is under way strictly one after the other."""
        self.idle = idle
        """Seconds of silence after which the connection counts as cut; one reply takes no longer to arrive."""
        self._begun = 0.0
        """When the reply began to arrive of which a part is here."""
        self._out: list[bytes] = []
        self._collected = 0
        """Bytes that wait in `_out`."""
        self._in = bytearray()
        self._pending: dict[int, Ticket] = {}
        self._afterthoughts: deque[wire.Request] = deque()
        self._bytes = 0
        self._number = 0
        self.broken: TargetUnreachable | None = None
        self.extensions: Mapping[str, str] = self._greet()
        self.read_size, self.write_size, self.handles = self._limits()

    @property
    def room(self) -> int:
        """How many more requests may be sent."""
        return max(0, WINDOW_REQUESTS - len(self._pending)) if self._bytes < WINDOW_BYTES else 0

    def send(self, *requests: wire.Request, awaited: int = 0) -> Ticket:
        """Put requests on their way. `awaited`: bytes of each reply where they are many."""
        if self.broken is not None:
            raise self.broken
        number, total = self._number, 0
        out, pending = self._out, self._pending
        ticket = Ticket(number + 1, len(requests), awaited)
        for kind, body in requests:
            number = (number + 1) & IDS
            pending[number] = ticket
            size = len(body)
            total += size
            out += (framing.head(kind, size, number), body)
        self._number = number
        ticket.cost += total
        self._bytes += ticket.cost
        self._collected += total
        if self._collected >= _FLUSH:
            self._flush()
        return ticket

    def later(self, request: wire.Request) -> None:
        """Send this at some time, and care for no reply. May be called by the garbage collector at any moment."""
        self._afterthoughts.append(request)

    def make_room(self) -> None:
        """Wait until one more request may be sent."""
        while not self.room:
            self.receive()

    def wait(self, ticket: Ticket) -> None:
        """Wait until all of its requests were answered, however long it takes (the idle time-out applies)."""
        while ticket.left:
            self.receive()

    def finish(self, work: Work[T]) -> T:
        """One piece of work, to its end."""
        try:
            while True:
                wanted = next(work)
                if wanted is None:
                    self.make_room()
                else:
                    self.wait(wanted)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        except fields.Garbled as error:
            self.distrust(error)
        except BaseException:
            self.abandon([work])
            raise

    def fail_idle(self) -> NoReturn:
        """Nothing came for as long as may be."""
        self._break(f"{self.place} did not answer for {self.idle:g} s", None)

    def distrust(self, error: fields.Garbled) -> NoReturn:
        """A reply's content made no sense."""
        self._break(f"{self.place} sent something that is not SFTP: {error}", error)

    def abandon(self, works: Iterable[Work[T]]) -> None:
        """Close works that will not be finished, and wait until what they send to tidy up was answered."""
        for work in works:
            with contextlib.suppress(TargetUnreachable):
                work.close()
        with contextlib.suppress(TargetUnreachable):
            while self._pending or self._afterthoughts:
                self.receive()

    @property
    def waiting(self) -> bool:
        """Whether a reply is awaited."""
        return bool(self._pending)

    @property
    def readable(self) -> bool:
        """Whether `receive` would find something at once."""
        return self._pipe.recv_ready()

    def fileno(self) -> int:
        """What becomes readable when a reply comes."""
        return self._pipe.fileno()

    def push(self) -> None:
        """Send what is collected."""
        if self.broken is not None:
            raise self.broken
        while self._afterthoughts:
            self.send(self._afterthoughts.popleft())
        self._flush()

    def receive(self) -> None:
        """Send what is collected, wait for at least one byte, hand out every whole reply."""
        self.push()
        self._gather(len(self._pending) >= _MANY)
        try:
            self._hand_out(self._arrived())
        except fields.Garbled as error:
            self.distrust(error)

    def _hand_out(self, arrived: Iterable[tuple[int, framing.Reply]]) -> None:
        pending = self._pending
        for number, reply in arrived:
            ticket = pending.pop(number, None)
            if ticket is None:
                raise fields.Garbled(f"a reply to request {number}, which nobody made")
            if len(reply.body) > ticket.most:
                raise fields.Garbled(f"{len(reply.body)} bytes in reply to a request that {ticket.most} are enough for")
            ticket.replies[number - ticket.first & IDS] = reply
            ticket.left -= 1
            if not ticket.left:
                self._answered(ticket)

    def _answered(self, ticket: Ticket) -> None:
        self._bytes -= ticket.cost
        if ticket.unwanted is not None:
            ticket.unwanted(ticket)
        if ticket.ready is not None:
            ticket.ready.append(ticket.work)

    def _flush(self) -> None:
        out = b"".join(self._out)
        self._out, self._collected = [], 0
        at = 0
        while at < len(out):
            try:
                sent = self._pipe.send(out[at:])
            except TimeoutError as error:
                self._break(f"{self.place} took no data for {self.idle:g} s", error)
            except (OSError, EOFError, paramiko.SSHException) as error:
                self._break(f"the connection to {self.place} was cut while sending: {error}", error)
            if not sent:
                self._break(f"{self.place} closed the connection", None)
            at += sent

    def _arrived(self) -> Sequence[tuple[int, framing.Reply]]:
        """Wait for at least one byte; the replies that are whole now. Raises Garbled, and gives up one that only drips."""
        fresh = not self._in
        self._in += self._read()
        whole = framing.replies(self._in)
        if fresh or whole:
            self._begun = self._clock()
        elif self._clock() - self._begun > self.idle:
            self._break(f"{self.place} sent {len(self._in)} bytes of a reply in {self.idle:g} s, and no more", None)
        return whole

    def _read(self) -> bytes:
        try:
            received = self._pipe.recv(_LARGEST_CHUNK)
            if self._pipe.recv_stderr_ready():
                # Never shown, but unread it would fill the window that the replies need.
                self._pipe.recv_stderr(_LARGEST_CHUNK)
        except TimeoutError as error:
            self._break(f"{self.place} did not answer for {self.idle:g} s", error)
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
        self._out.append(wire.hello())
        self._flush()
        try:
            while not (said := self._arrived()):
                pass
            number, extensions = wire.version(*said[0])
        except fields.Garbled as error:
            self._break(f"{self.place} did not begin SFTP; does the account's login script print something? {error}", error)
        if number < wire.VERSION:
            raise TargetUnfit(f"{self.place} speaks SFTP version {number}; version {wire.VERSION} is needed.")
        return extensions

    def _limits(self) -> tuple[int, int, int]:
        """Bytes of one READ, of one WRITE, and files open at once."""
        said: wire.Limits | wire.Status | None = None
        if wire.LIMITS in self.extensions:
            asked = self.send(wire.limits())
            self.wait(asked)
            said = wire.limits_of(asked.reply)
        if not isinstance(said, wire.Limits):
            return _DEFAULT_CHUNK, _DEFAULT_CHUNK, 64
        return (
            min(said.read or _DEFAULT_CHUNK, _LARGEST_CHUNK),
            min(said.write or _DEFAULT_CHUNK, _LARGEST_CHUNK),
            said.handles or 64,
        )
