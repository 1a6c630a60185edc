"""The engine of the SFTP session, over a pipe that plays a server from a script."""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paramiko import SSHException

from targets.errors import TargetUnreachable
from targets.sftp import crew, framing, wire
from targets.sftp.asking import ask, ask_all, ask_handle
from targets.sftp.session import WINDOW_BYTES, WINDOW_REQUESTS, Session
from targets.sftp.tickets import Work

T = TypeVar("T")


class Echo:
    """A server that answers each request with OK, when `answer` is called or when it is read from with nothing left to give."""

    def __init__(self, order: Iterable[int] | None = None) -> None:
        self.requests: list[tuple[int, int, bytes]] = []
        self.held = bytearray()
        self.given = bytearray()
        self.unanswered: list[int] = []
        self.most = 0
        self.most_bytes = 0
        self.order = iter(order or [])
        self.stderr = b"noise"

    def send(self, data: bytes) -> int:
        taken = data[:10_000]
        self.held += taken
        for number, request in framing.replies(self.held):
            if request.kind == wire.INIT:
                self.given += struct.pack(">IBI", 5, wire.VERSION_REPLY, 3)
                continue
            self.requests.append((request.kind, number, request.body))
            self.unanswered.append(number)
            self.most = max(self.most, len(self.unanswered))
        return len(taken)

    def recv(self, count: int) -> bytes:
        if not self.given:
            # One reply at a time, in any order: the engine must match them by id.
            number = self.unanswered.pop(next(self.order, 0) % len(self.unanswered))
            self.given += struct.pack(">IBIIII", 17, wire.STATUS, number, number % 1000, 0, 0)
        given, self.given = bytes(self.given[:7]), self.given[7:]
        return given

    def recv_ready(self) -> bool:
        return bool(self.given or self.unanswered)

    def fileno(self) -> int:
        raise NotImplementedError

    def recv_stderr_ready(self) -> bool:
        return bool(self.stderr)

    def recv_stderr(self, count: int) -> bytes:
        noise, self.stderr = self.stderr, b""
        return noise


def session(pipe: Echo, *, in_order: bool = True, gather: Callable[[bool], None] = lambda _: None) -> Session:
    return Session(pipe, "there", in_order=in_order, idle=1, gather=gather)


def drive(spoken: Session, works: Iterable[Work[T]], at_once: int) -> Iterator[T]:
    def ready(work: Work[T]) -> crew.Begin[T]:
        return crew.Begin(lambda _: work)

    return crew.drive([spoken], map(ready, works), at_once)


def one(spoken: Session, path: bytes) -> Work[tuple[bytes, int]]:
    status = wire.status((yield from ask(spoken, wire.remove(path))))
    return path, status.code


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 300), st.integers(1, 50), st.lists(st.integers(0, 1000), max_size=300))
def test_every_work_gets_its_own_replies_in_whatever_order_they_come(count: int, at_once: int, order: list[int]) -> None:
    pipe = Echo(order)
    spoken = session(pipe)
    works = (one(spoken, str(number).encode()) for number in range(count))
    results = dict(drive(spoken, works, at_once))
    sent = {body[4:]: number for _, number, body in pipe.requests}
    assert results == {path: number % 1000 for path, number in sent.items()}
    assert len(results) == count
    assert pipe.most <= at_once
    assert pipe.stderr == b""


@given(st.lists(st.integers(1, 5), max_size=20), st.lists(st.integers(0, 1000), max_size=60))
def test_requests_that_go_together_are_answered_together_in_whatever_order_the_replies_come(
    counts: list[int], order: list[int]
) -> None:
    pipe = Echo(order)
    spoken = session(pipe)
    spoken._number = 2**32 - 3

    def group(count: int) -> Work[int]:
        ticket = spoken.send(*[wire.remove(b"x")] * count)
        yield ticket
        codes = [wire.status(reply).code for reply in ticket.replies]
        assert codes == [(ticket.first + place) % 2**32 % 1000 for place in range(count)]
        return count

    assert sorted(drive(spoken, map(group, counts), 20)) == sorted(counts)
    assert not spoken.waiting
    assert spoken._bytes == 0


def test_replies_are_left_to_gather_while_many_are_awaited_and_not_once_they_are_few() -> None:
    said: list[bool] = []
    pipe = Echo()
    spoken = session(pipe, gather=lambda many: said.append(many))  # noqa: PLW0108 - mypy knows no other way
    assert spoken.finish(one(spoken, b"x"))
    assert not any(said), "the first of few is wanted at once"
    spoken.finish(ask_all(spoken, (wire.remove(b"x") for _ in range(200))))
    assert said.index(True) < len(said) - 1
    assert not said[-1], "the last ones are wanted at once"


def test_no_more_is_under_way_than_the_window_holds() -> None:
    pipe = Echo()
    spoken = session(pipe)
    requests = (wire.remove(b"x") for _ in range(WINDOW_REQUESTS * 2))
    assert len(spoken.finish(ask_all(spoken, requests))) == WINDOW_REQUESTS * 2
    assert pipe.most == WINDOW_REQUESTS
    big = (ask(spoken, wire.write(b"h", 0, bytes(1_000_000))) for _ in range(20))
    pipe.most = 0
    assert len(list(drive(spoken, big, 20))) == 20
    assert pipe.most == -(-WINDOW_BYTES // 1_000_000)


def test_works_that_wait_for_room_all_come_to_their_turn() -> None:
    pipe = Echo()
    spoken = session(pipe)

    def heavy(number: int) -> Work[int]:
        for _ in range(5):
            yield from ask(spoken, wire.write(b"h", 0, bytes(900_000)))
        return number

    assert sorted(drive(spoken, (heavy(number) for number in range(20)), 20)) == list(range(20))


def test_dependent_calls_are_sent_one_by_one_where_order_is_not_known() -> None:
    pipe = Echo()
    spoken = session(pipe, in_order=False)
    spoken.finish(ask_all(spoken, (wire.remove(b"x") for _ in range(20))))
    assert pipe.most == 1


def test_a_work_that_raises_ends_the_others_and_each_tidies_up() -> None:
    pipe = Echo()
    spoken = session(pipe)
    tidied: list[int] = []

    def work(number: int) -> Work[int]:
        try:
            for step in range(10):
                yield from ask(spoken, wire.remove(b"x"))
                if (number, step) == (3, 2):
                    raise LookupError
            return number
        finally:
            tidied.append(number)
            spoken.later(wire.remove(b"tidied by %d" % number))

    with pytest.raises(LookupError):
        list(drive(spoken, (work(number) for number in range(5)), 5))
    assert sorted(tidied) == list(range(5))
    sent = {body[4:] for _, _, body in pipe.requests}
    assert sent == {b"x", *(b"tidied by %d" % number for number in range(5))}
    assert pipe.unanswered == []
    assert spoken.finish(one(spoken, b"still works"))


def test_two_drives_take_turns_without_losing_replies() -> None:
    spoken = session(Echo())
    first = drive(spoken, (one(spoken, str(number).encode()) for number in range(50)), 10)
    results = [next(first)]
    assert len(list(drive(spoken, (one(spoken, b"x") for number in range(50)), 10))) == 50
    results += first
    assert len(results) == 50


def test_ids_go_round_after_four_thousand_million_requests() -> None:
    pipe = Echo()
    spoken = session(pipe)
    spoken._number = 2**32 - 2
    assert len(spoken.finish(ask_all(spoken, (wire.remove(b"x") for _ in range(4))))) == 4
    assert [number for _, number, _ in pipe.requests] == [2**32 - 1, 0, 1, 2]


class Ends(Echo):
    """Speaks until `end` is set, and then raises it, or is at its end if it is no error."""

    def __init__(self, *, sending: bool) -> None:
        super().__init__()
        self.sending = sending
        self.end: Exception | str = ""

    def send(self, data: bytes) -> int:
        if not self.sending or not self.end:
            return super().send(data)
        if isinstance(self.end, Exception):
            raise self.end
        return 0

    def recv(self, count: int) -> bytes:
        if self.sending or not self.end:
            return super().recv(count)
        if isinstance(self.end, Exception):
            raise self.end
        return b""


ENDS = [
    (TimeoutError(), "for 1 s"),
    (OSError("reset"), "reset"),
    (EOFError("gone"), "gone"),
    (SSHException("mangled"), "mangled"),
    ("eof", "closed"),
]


@pytest.mark.parametrize("sending", [False, True])
@pytest.mark.parametrize(("end", "words"), ENDS, ids=[words for _, words in ENDS])
def test_an_end_of_the_pipe_is_unreachable_and_stays_so(end: Exception | str, words: str, sending: bool) -> None:
    pipe = Ends(sending=sending)
    spoken = session(pipe)
    spoken.finish(one(spoken, b"x"))
    pipe.end = end
    for _ in range(2):
        with pytest.raises(TargetUnreachable, match=words):
            spoken.finish(one(spoken, b"x"))
        pipe.end = ""
    with pytest.raises(TargetUnreachable, match=words):
        spoken.send(wire.remove(b"x"))


class Garbles(Echo):
    """Answers every request with a handle that is cut short, all in one go."""

    def recv(self, count: int) -> bytes:
        for number in self.unanswered:
            self.given += struct.pack(">IBII", 9, wire.HANDLE, number, 1000)
        self.unanswered.clear()
        given, self.given = bytes(self.given), bytearray()
        return given


def test_a_reply_without_sense_to_a_work_that_is_given_up_ends_the_session_and_hides_no_error() -> None:
    spoken = session(Garbles())

    def fails() -> Work[bytes]:
        yield from ask(spoken, wire.remove(b"x"))
        raise LookupError

    def opens() -> Work[bytes]:
        handle = yield from ask_handle(spoken, wire.create(b"x", None), b"x")
        assert isinstance(handle, bytes)
        return handle

    with pytest.raises(LookupError):
        list(drive(spoken, [fails(), opens(), opens()], 5))
    with pytest.raises(TargetUnreachable, match="not SFTP"):
        spoken.send(wire.remove(b"x"))
