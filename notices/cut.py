"""An end to waiting: a socket's own time-out starts anew with each byte, so a server that drips would hold a thread for ever."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer


@contextmanager
def within(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut this connection when the time is over; what was then raised in the block becomes TimeoutError."""
    overdue: list[bool] = []
    timer = Timer(seconds, _cut, (connection, overdue))
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if overdue:
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()


def _cut(connection: Callable[[], socket.socket | None], overdue: list[bool]) -> None:
    overdue.append(True)
    now = connection()
    # It may have been closed a moment ago.
    with suppress(OSError):
        if now is not None:
            # Not SSLSocket's own shutdown: it takes the TLS state away from under the thread that reads.
            socket.socket.shutdown(now, socket.SHUT_RDWR)
