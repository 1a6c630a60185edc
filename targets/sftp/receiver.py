"""Many files as one stream, to a small program of ours on the server that writes them as SFTP would.

A file takes five requests of SFTP, each decoded, carried out and answered by itself; here it is one, and nothing waits. Who may
log in to a shell has that (unless `transfer = "sftp"`): `receiver.pl` is sent along and run by the server's Perl. What it
promises is what SFTP's server does: a name that is there is never written over, each path is looked up anew, and every file is
answered for, in order, once its mode and times are set and it is closed.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NoReturn, Protocol

import paramiko

from targets.disk import Op, Write
from targets.errors import TargetUnfit, TargetUnreachable
from targets.sftp.calls import Change
from targets.sftp.session import Pipe
from targets.sftp.small import File
from targets.sftp.upload import check, whole, wrong_source

PROGRAM = Path(__file__).with_name("receiver.pl").read_bytes()
_COMMAND = f"perl %s-e 'read(STDIN, $p, {len(PROGRAM)}) == {len(PROGRAM)} or exit 1; eval $p; die $@ if $@'"
GREETING = b"slipway receiver 1\n"
OPS = {Op.RENAME: b"R", Op.LINK: b"L", Op.UNLINK: b"U"}
"""The calls that come by the thousand."""
ORDERLY = {Op.RENAME, Op.UNLINK}
"""Those that can be held back."""

_PACKET = 32 * 1024 - 64
"""What paramiko puts into one packet of a channel where the server takes 32 KiB."""
_FLUSH = 16 * _PACKET
"""Bytes that are collected before they go out together, all but what fills no packet: each time wakes the server's processes."""
_UNSENT = 1000
"""Requests that are collected at the most: what is said to all of them, errors in words, must find room while nobody reads."""
_CHUNK = 256 * 1024
"""Bytes of a file that are read at once."""
_LONGEST_ANSWER = 4096
"""Bytes: more of one answer is no answer."""
_GOOD = b"."


def command(*, syncs: bool) -> str:
    """What runs the program, which is the first that is sent. Every shell takes it, and nothing in it comes from anybody else.

    `syncs`: whether files will be synced. A Perl that cannot says so before it is given any.
    """
    return _COMMAND % ("-MIO::Handle " if syncs else "")


class Program(Pipe, Protocol):
    """A channel with a program at its other end."""

    def shutdown_write(self) -> None: ...
    def settimeout(self, seconds: float, /) -> None: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...


class Receiver:
    """The program on the server. Used by one thread at a time; after an error it is ended.

    Methods raise TargetUnreachable when the connection is cut or silent for too long.
    """

    def __init__(self, pipe: Program, place: str, *, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`patience`: seconds that the pipe waits for anything. Raises TargetUnfit where no program can be run."""
        self._pipe, self._place, self._patience, self._clock = pipe, place, patience, clock
        self._out = [PROGRAM]
        self._collected = len(PROGRAM)
        """Bytes that wait in `_out`."""
        self.unsent = 0
        """Requests that do."""
        self._in = b""
        self._begun = 0.0
        """When the answer began to arrive of which a part is here."""
        self.lost = False
        """Whether it was silent for too long, or talks nonsense: nothing that it says is awaited any more."""
        self.backlog = 0
        """How many requests are not answered yet."""
        self.sent = False
        """Whether anything went out since answers were looked for. Until then a look is seldom worth its lock."""
        self._greet()

    @property
    def runs(self) -> bool:
        """Whether it is not known to have ended."""
        return not self._pipe.closed

    def write(self, files: Sequence[File]) -> Iterable[None]:
        """Put small files on their way, or one of any size, a large one in steps: after each there may be an answer that makes
        the next one needless.

        Raises CorruptTransfer if a source gives other bytes than were promised: then it is not kept, and the receiver serves
        for nothing more.
        """
        if files[0][0].size >= _CHUNK:
            return self._write_large(*files[0])
        requests: list[bytes] = []
        for write, path in files:
            requests += (_head(write, path), whole(write), b"k")
        self._ask(requests, len(files))
        return ()

    def _write_large(self, write: Write, path: bytes) -> Iterator[None]:
        self._ask([_head(write, path)])
        with write.open() as stream:
            hasher, sent = hashlib.sha256(), 0
            while True:
                wanted = min(_CHUNK, write.size - sent + 1)
                chunk = stream.read(wanted)
                hasher.update(chunk)
                if sent + len(chunk) > write.size:
                    raise wrong_source(write, f"more than {write.size} bytes")
                self._put([chunk])
                sent += len(chunk)
                if len(chunk) < wanted:
                    break
                yield
        if sent < write.size:
            raise wrong_source(write, f"{sent} bytes instead of {write.size}")
        check(write, hasher)
        self._put([b"k"])

    def change(self, change: Change, *, orderly: bool = False) -> None:
        """Put one call on its way. `orderly`: it is not made once something was refused since `begin`."""
        if change.op is Op.MKDIR:
            self._ask([b"M %o %d 0\n%b" % (0o777 if change.mode is None else change.mode, len(change.path), change.path)])
            return
        kind = b"+" + OPS[change.op] if orderly else OPS[change.op]
        self._ask([b"%b %d %d\n%b%b" % (kind, len(change.path), len(change.to), change.path, change.to)])

    def begin(self) -> None:
        """From here on it counts what is refused."""
        self._ask([b"B 0 0\n"])

    def look(self, path: bytes) -> None:
        """Ask what lies there. The answer begins with "="."""
        self._ask([b"S %d 0\n%b" % (len(path), path)])

    def _ask(self, requests: Sequence[bytes], count: int = 1) -> None:
        if not self.backlog and self._pipe.recv_ready():
            # To nothing: from here on no answer would stand beside its request.
            self._garbled(self._read() or self._ended())
        self.backlog += count
        self.unsent += count
        self._put(requests)

    def _put(self, some: Sequence[bytes]) -> None:
        self._out += some
        self._collected += sum(map(len, some))
        if self._collected >= _FLUSH or self.unsent >= _UNSENT:
            self._flush(self._collected - self._collected % _PACKET)

    def push(self) -> None:
        """Send what is collected."""
        if self._collected:
            self._flush(self._collected)

    def answers(self, *, all_of_them: bool = False) -> Iterator[Sequence[str]]:
        """What came meanwhile, in order, several at a time: "" for good. What lies there (after "=") or went wrong comes alone.

        `all_of_them`: wait until nothing is awaited.
        """
        if all_of_them:
            self.push()
        self.sent = False
        while self.backlog and (all_of_them or self._pipe.recv_ready()):
            yield from self._said(self._read() or self._ended())

    def end(self, *, wait: bool = True) -> None:
        """Let it remove what is not whole, and end. Once it was waited for, and is not lost, it writes nothing any more."""
        with contextlib.suppress(TargetUnreachable, OSError, EOFError, paramiko.SSHException):
            if wait and self.backlog and not self.lost:
                self._pipe.shutdown_write()
                while received := self._read():
                    for _ in self._said(received):
                        """Nobody wants to know any more."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._pipe.close()

    def _said(self, received: bytes) -> Iterator[Sequence[str]]:
        """The answers that are whole now. Gives up one that only drips."""
        if not self._in:
            self._begun = self._clock()
        self._in += received
        while self._in:
            good = len(self._in) - len(self._in.lstrip(_GOOD))
            if good:
                self._in = self._in[good:]
                self._answered(good)
                yield [""] * good
            if self._in:
                said = self._line()
                if said is None:
                    break
                self._begun = self._clock()
                self._answered(1)
                yield [said]
        if self._in and self._clock() - self._begun > self._patience:
            self._lost(f"{self._place} sent {len(self._in)} bytes of an answer in {self._patience:g} s, and no more")

    def _answered(self, count: int) -> None:
        self.backlog -= count
        if self.backlog < 0:
            self._garbled(b"more answers than there were requests")

    def _line(self) -> str | None:
        """The refusal, or the finding, at the head of what was received; None: not all of it is here."""
        line, end, rest = self._in.partition(b"\n")
        if line[:1] not in {b"!", b"="} or len(line) > _LONGEST_ANSWER:
            self._garbled(line)
        if not end:
            return None
        self._in = rest
        return line.removeprefix(b"!").decode("utf-8", "replace")

    def _greet(self) -> None:
        try:
            self._flush(self._collected)
            while len(self._in) < len(GREETING) and GREETING.startswith(self._in):
                self._in += self._read(_LONGEST_ANSWER) or self._no_program()
        except TargetUnreachable:
            # It did not even read to the end what it was to be.
            self._no_program()
        if self._in != GREETING:
            self._no_program()
        self._in = b""

    def _no_program(self) -> NoReturn:
        said = self._pipe.recv_stderr(_LONGEST_ANSWER) if self._pipe.recv_stderr_ready() else b""
        words = (self._in + said).decode("utf-8", "replace").strip()
        raise TargetUnfit(
            f"{self._place} runs no program for this account"
            + (f" (it said: {words[:200]!r})" if words else "")
            + ". A stream of files needs a shell that prints nothing by itself, and Perl. Give it that, or set "
            'transfer = "sftp".'
        )

    def _flush(self, size: int) -> None:
        """Send so much of what is collected."""
        # A view, since a slow server takes it in many parts.
        collected = memoryview(b"".join(self._out))
        out, left = collected[:size], bytes(collected[size:])
        self._out, self._collected, self.unsent = [left], len(left), 0
        self.sent = True
        at = 0
        while at < size:
            try:
                sent = self._pipe.send(out[at:])  # type: ignore[arg-type]
            except TimeoutError:
                self._lost(f"{self._place} took no data for {self._patience:g} s")
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise TargetUnreachable(f"the connection to {self._place} was cut while sending: {error}.") from error
            if not sent:
                self._ended()
            at += sent

    def _read(self, most: int = _CHUNK) -> bytes:
        """Some bytes; none at the end."""
        try:
            return self._pipe.recv(most)
        except TimeoutError:
            self._lost(f"{self._place} did not answer for {self._patience:g} s")
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise TargetUnreachable(f"the connection to {self._place} was cut: {error}.") from error

    def _ended(self) -> NoReturn:
        said = self._pipe.recv_stderr(_LONGEST_ANSWER) if self._pipe.recv_stderr_ready() else b""
        words = said.decode("utf-8", "replace").strip()
        raise TargetUnreachable(
            f"the program that takes a stream of files on {self._place} ended{f': {words[:200]}' if words else ''}. "
            'If that goes on, set transfer = "sftp".'
        )

    def _garbled(self, found: bytes) -> NoReturn:
        self._lost(f"{self._place} sent something that is no answer: {found[:80]!r}")

    def _lost(self, what: str) -> NoReturn:
        """Nothing more is believed or awaited."""
        self.lost = True
        raise TargetUnreachable(f"{what}.")


def _head(write: Write, path: bytes) -> bytes:
    """What stands before a file's bytes."""
    moment = b"-" if write.modified is None else b"%d" % write.modified
    return b"F %b %b %d %d %d\n%b" % (_octal(write.mode), moment, write.sync, write.size, len(path), path)


@lru_cache
def _octal(mode: int | None) -> bytes:
    """A target has one mode for all of its files."""
    return b"-" if mode is None else b"%o" % mode
