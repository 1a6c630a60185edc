"""Faults between a stream and the program that takes it, request by request: above SSH, as `support.sftp_faults` has them for SFTP."""

from dataclasses import replace
from typing import Any

from support.injector import Injector
from support.sftp_faults import Fault
from support.sftp_pipe import SocketPipe
from support.sshd import SFTP_SERVER
from targets.sftp.receiver import GREETING, PROGRAM

GOOD, REFUSED = b".", b"!change EIO refused on the way\n"
HELD = b"!hold-back ECANCELED something before was refused\n"


def is_program(pipe: SocketPipe) -> bool:
    """Whether there is a program at its other end, and not SFTP's server."""
    return isinstance(pipe.server.args, list) and pipe.server.args[-1] != str(SFTP_SERVER)


class OneByOne:
    """Implements `Program` over a pipe to the real one, which gets the next request only when it has answered the last."""

    def __init__(self, pipe: SocketPipe) -> None:
        self._pipe = pipe
        self._beginning, self._greeting = len(PROGRAM), len(GREETING)
        self._out, self._given = bytearray(), bytearray()
        self._ending = False
        self.cut = False
        self._holds = False
        """Whether something was refused on the way since it was told to count that: the program does not know of it."""

    def passed(self, request: bytes) -> bytes:
        """What becomes of a request: what the client gets for an answer."""
        return self.ask(request)

    def refuse(self) -> bytes:
        """A refusal that never reached the program."""
        self._holds = True
        return REFUSED

    def ask(self, request: bytes) -> bytes:
        """The program's own answer; nothing where none comes."""
        self._holds = self._holds and not request.startswith(b"B")
        if self._holds and request.startswith(b"+"):
            return HELD
        self._pipe._near.sendall(request)
        answer = b""
        try:
            while not answer or (answer != GOOD and not answer.endswith(b"\n")):
                received = self._pipe.recv(1)
                if not received:
                    self.cut = True
                    break
                answer += received
        except TimeoutError:
            """It waits for more, as the client does."""
        return answer

    def send(self, data: bytes, /) -> int:
        if self.cut:
            raise ConnectionResetError("cut")
        if self._beginning:
            sent = self._pipe.send(data[: self._beginning])
            self._beginning -= sent
            return sent
        self._out += data
        for request in whole_requests(self._out):
            self._given += self.passed(request)
        return len(data)

    def recv(self, count: int, /) -> bytes:
        if self._greeting:
            received = self._pipe.recv(min(count, self._greeting))
            self._greeting -= len(received)
            return received
        if self._given:
            given = bytes(self._given[:count])
            del self._given[:count]
            return given
        if self.cut:
            return b""
        if self._ending:
            return self._pipe.recv(count)
        # Nothing is ever under way.
        raise TimeoutError

    def recv_ready(self) -> bool:
        return bool(self._given) or self.cut

    def shutdown_write(self) -> None:
        self._ending = True
        self._pipe.shutdown_write()

    def close(self) -> None:
        self._ending = True
        self._pipe.close()

    @property
    def quiet(self) -> bool:
        """Whether nothing is left over, and more can be asked."""
        return not (self.cut or self._given or self._out or self._ending)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipe, name)


class FaultyProgram(OneByOne):
    """Does one fault when it is armed. `requests` and `replies`: what passed since."""

    def __init__(self, pipe: SocketPipe) -> None:
        super().__init__(pipe)
        self._fault: Fault | None = None
        self.requests: list[bytes] = []
        self.replies: list[bytes] = []
        self.struck = False

    def arm(self, fault: Fault | None) -> None:
        """From now on requests are counted anew, and this happens to one of them or to its answer."""
        self._fault, self.struck = fault, False
        self.requests.clear()
        self.replies.clear()

    def passed(self, request: bytes) -> bytes:
        self.requests.append(request)
        fault = self._at("request", len(self.requests) - 1)
        match fault.action if fault else "":
            case "refuse":
                return self.refuse()
            case "pretend":
                return GOOD
            case "cut":
                self.cut = True
                return b""
            case "short":
                request = request[:-2] + request[-1:]
            case "flip":
                assert fault
                request = _flipped(request, fault)
        return self._reply(self.ask(request))

    def _reply(self, answer: bytes) -> bytes:
        self.replies.append(answer)
        fault = self._at("reply", len(self.replies) - 1)
        # A program that is slow to answer on a busy machine has lost its answer by itself.
        match fault.action if fault and answer else "":
            case "refuse":
                return REFUSED
            case "drop":
                return b""
            case "twice":
                return answer * 2
            case "cut":
                self.cut = True
                return b""
            case "flip":
                assert fault
                return _flipped(answer, fault)
        return answer

    def _at(self, side: str, index: int) -> Fault | None:
        fault = self._fault
        if fault is None or (fault.side, fault.index) != (side, index):
            return None
        self.struck = True
        return fault


class FailingProgram(OneByOne):
    """A request is refused, or the connection ends there, before it or after it."""

    def __init__(self, pipe: SocketPipe, injector: Injector, how: str) -> None:
        super().__init__(pipe)
        self._injector, self._how = injector, how

    def passed(self, request: bytes) -> bytes:
        if self.cut:
            return b""
        struck = self._injector.strikes(f"stream {request[:1].decode()}")
        if struck and self._how == "refuse":
            return self.refuse()
        answer = b"" if struck and self._how == "cut before" else self.ask(request)
        self.cut = self.cut or struck
        return b"" if self.cut else answer


def every_fault(requests: list[bytes], replies: list[bytes], masks: tuple[int, ...]) -> list[Fault]:
    """All that can happen to these, each once. Answers of a stream are told apart by their order alone, which nothing can change."""
    found: list[Fault] = []
    for side, parts, actions in (
        ("request", requests, ("refuse", "pretend", "cut")),
        ("reply", replies, ("refuse", "drop", "twice", "cut")),
    ):
        for index, part in enumerate(parts):
            plain = Fault(side, index, "")
            found += [replace(plain, action=action) for action in actions]
            if side == "request" and _size(part):
                found.append(replace(plain, action="short"))
            found += [Fault(side, index, "flip", byte, mask) for byte in range(len(part)) for mask in masks]
    return found


def whole_requests(held: bytearray) -> list[bytes]:
    """The whole requests at the front, taken off."""
    found = []
    while (end := held.find(b"\n") + 1) and len(held) >= (end := end + _rest(bytes(held[:end]))):
        found.append(bytes(held[:end]))
        del held[:end]
    return found


def _rest(line: bytes) -> int:
    """Bytes after a request's first line."""
    kind, *numbers = line.split()
    return sum(map(int, numbers[-2:])) + (kind == b"F")


def _size(request: bytes) -> int:
    """Of a file's content."""
    kind, *numbers = request.partition(b"\n")[0].split()
    return int(numbers[-2]) if kind == b"F" else 0


def _flipped(part: bytes, fault: Fault) -> bytes:
    at = fault.byte
    return part[:at] + bytes([part[at] ^ fault.mask]) + part[at + 1 :]
