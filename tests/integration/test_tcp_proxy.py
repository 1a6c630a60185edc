"""The proxy that stands for a bad line does to a conversation what it says, and nothing else."""

import contextlib
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from support.tcp_proxy import Fault, How, TcpProxy, Way, proxied

SHORT = 0.1
"""Seconds of silence that count as silence."""


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says everything again, and hangs up when its client does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener,))
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket) -> None:
    threads = []
    with contextlib.suppress(OSError):
        while True:
            side, _ = listener.accept()
            threads.append(threading.Thread(target=_repeat, args=(side,), daemon=True))
            threads[-1].start()


def _repeat(side: socket.socket) -> None:
    with side, contextlib.suppress(OSError):
        while chunk := side.recv(65536):
            side.sendall(chunk)


def connect(port: int) -> socket.socket:
    side = socket.create_connection(("127.0.0.1", port), timeout=10)
    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return side


def everything(side: socket.socket) -> bytes:
    """Until the end; what came before a reset is lost with it."""
    said = b""
    while chunk := side.recv(65536):
        said += chunk
    return said


def exchange(port: int, said: bytes) -> bytes:
    """Say something, hang up, and hear it again."""
    with connect(port) as side:
        speaker = threading.Thread(target=_say, args=(side, said))
        speaker.start()
        try:
            return everything(side)
        finally:
            speaker.join()


def _say(side: socket.socket, said: bytes) -> None:
    with contextlib.suppress(OSError):
        side.sendall(said)
        side.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("line", [{}, {"delay": 0.01}, {"rate": 50e6}, {"delay": 0.002, "rate": 50e6}])
def test_every_byte_passes_and_so_does_the_end(echo: int, line: dict[str, float]) -> None:
    said = os.urandom(3_000_000)
    with TcpProxy(echo, **line) as proxy:
        assert hashlib.sha256(exchange(proxy.port, said)).digest() == hashlib.sha256(said).digest()
        assert [talk.taken for talk in proxy.talks] == [dict.fromkeys(Way, len(said))]
        assert proxy.struck == 0


def test_a_delay_is_had_each_way_and_does_not_make_the_line_thin(echo: int) -> None:
    with TcpProxy(echo, delay=0.05) as proxy, connect(proxy.port) as side:
        began = time.monotonic()
        side.sendall(b"x")
        side.recv(1)
        round_trip = time.monotonic() - began
        assert round_trip >= 0.1
        speaker = threading.Thread(target=_say, args=(side, bytes(8_000_000)))
        speaker.start()
        side.recv(1)
        # The first byte is back, and megabytes are on their way behind it.
        assert proxy.talks[0].taken[Way.TO_SERVER] > 2_000_000
        assert len(everything(side)) == 8_000_000 - 1
        speaker.join()


def test_a_rate_is_never_exceeded(echo: int) -> None:
    with TcpProxy(echo, rate=1e6) as proxy:
        began = time.monotonic()
        exchange(proxy.port, bytes(300_000))
        assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("after", [0, 1, 70_000])
def test_a_cut_lets_so_many_bytes_pass_and_then_ends_both_sides(echo: int, way: Way, after: int) -> None:
    said = os.urandom(100_000)
    with TcpProxy(echo) as proxy:
        proxy.strike(Fault(How.CUT, after, way), times=1)
        heard = b""
        with contextlib.suppress(ConnectionResetError):
            heard = exchange(proxy.port, said)
        assert heard == said[: len(heard)]
        assert len(heard) <= after
        assert proxy.struck == 1
        assert proxy.talks[0].taken[way] >= after
        # Only as many connections as were to be struck.
        assert exchange(proxy.port, said) == said


def test_exactly_so_many_bytes_come_before_a_cut(echo: int) -> None:
    with TcpProxy(echo) as proxy, contextlib.ExitStack() as stack:
        proxy.strike(Fault(How.CUT, 5, Way.TO_CLIENT))
        side = stack.enter_context(connect(proxy.port))
        side.sendall(b"12345678")
        assert everything(side) == b"12345"


@pytest.mark.parametrize("after", [0, 4])
def test_a_reset_is_told_as_such(echo: int, after: int) -> None:
    with TcpProxy(echo) as proxy:
        proxy.strike(Fault(How.RESET, after))
        with pytest.raises(ConnectionResetError):
            _talk_on(proxy.port)


def _talk_on(port: int) -> None:
    """The first words may still get through, and be read; the second come after the connection was taken away."""
    with connect(port) as side:
        for words in (b"abcd", b"efgh"):
            side.sendall(words)
            everything(side)


@pytest.mark.parametrize(("how", "after"), [(How.SILENCE, 0), (How.SILENCE, 3), (How.HALF_OPEN, 0), (How.HALF_OPEN, 3)])
def test_a_silent_line_is_accepted_and_never_ends(echo: int, how: How, after: int) -> None:
    with TcpProxy(echo) as proxy:
        proxy.strike(Fault(how, after, Way.TO_CLIENT))
        with connect(proxy.port) as side:
            side.settimeout(SHORT)
            side.sendall(b"abcdef")
            if after:
                assert side.recv(100) == b"abc"
            with pytest.raises(TimeoutError):
                side.recv(1)
            # It is only that one.
            proxy.mend()
            assert exchange(proxy.port, b"after") == b"after"


def test_a_half_open_line_has_ended_for_the_server_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        with TcpProxy(int(listener.getsockname()[1])) as proxy:
            for how, end in ((How.HALF_OPEN, True), (How.SILENCE, False)):
                proxy.strike(Fault(how, 2))
                with connect(proxy.port) as side:
                    server, _ = listener.accept()
                    with server:
                        server.settimeout(SHORT)
                        side.sendall(b"ab")
                        assert server.recv(2) == b"ab"
                        if end:
                            assert server.recv(1) == b""
                        else:
                            with pytest.raises(TimeoutError):
                                server.recv(1)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("at", [0, 1, 65_535, 65_536, 99_999])
def test_one_bit_of_one_byte_is_another(echo: int, way: Way, at: int) -> None:
    said = os.urandom(100_000)
    with TcpProxy(echo) as proxy:
        proxy.strike(Fault(How.FLIP, at, way))
        heard = exchange(proxy.port, said)
        assert heard == said[:at] + bytes([said[at] ^ 1]) + said[at + 1 :]


def test_a_fault_that_is_never_reached_strikes_nobody(echo: int) -> None:
    with TcpProxy(echo) as proxy:
        proxy.strike(Fault(How.FLIP, 5))
        assert exchange(proxy.port, b"abcde") == b"abcde"
        assert proxy.struck == 0


def test_nobody_behind_the_line_is_a_reset(tcp_proxy: Callable[[int], TcpProxy]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    # It may come while the connection is still being made.
    with pytest.raises(ConnectionResetError):
        _only_listen(tcp_proxy(port).port)


def _only_listen(port: int) -> None:
    with connect(port) as side:
        side.recv(1)


def test_a_proxy_of_its_own_process_does_the_same(echo: int) -> None:
    with proxied(echo, delay=0.02) as port:
        began = time.monotonic()
        assert exchange(port, b"far away") == b"far away"
        assert time.monotonic() - began >= 0.04
