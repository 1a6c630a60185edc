"""OpenSSH's own sftp-server at the other end of a pair of sockets: SFTP as it is, without SSH around it.

What lies between is a place for faults that the encryption of SSH would hide: each packet passes by in the clear, and a
session costs a few milliseconds instead of a handshake.
"""

import contextlib
import select
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from config import SftpTarget
from support.sshd import SFTP_SERVER
from targets.sftp import SftpDisk

IDLE = 5.0
"""Seconds of silence after which a session counts as cut: a bound for hangs."""


def plain_settings(root: Path, **overrides: object) -> SftpTarget:
    """Settings of a target below this folder; who connects does not matter here."""
    fields: dict[str, object] = {
        "kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent", "root": str(root), "idle_timeout": IDLE,
        "transfer": "sftp",
    }  # fmt: skip
    return SftpTarget.model_validate(fields | overrides)


class SocketPipe:
    """Implements the session's `Pipe` over one socket to one server process."""

    def __init__(self, command: Sequence[str], idle: float) -> None:
        self._near, far = socket.socketpair()
        self._near.settimeout(idle)
        with far:
            self.server = subprocess.Popen(list(command), stdin=far.fileno(), stdout=far.fileno(), stderr=subprocess.DEVNULL)

    def send(self, data: bytes, /) -> int:
        return self._near.send(data)

    def recv(self, count: int, /) -> bytes:
        return self._near.recv(count)

    def settimeout(self, seconds: float) -> None:
        self._near.settimeout(seconds)

    def recv_ready(self) -> bool:
        return self._near.fileno() >= 0 and bool(select.select([self._near], [], [], 0)[0])

    def fileno(self) -> int:
        return self._near.fileno()

    def recv_stderr_ready(self) -> bool:
        return False

    def recv_stderr(self, count: int, /) -> bytes:
        return b""

    def shutdown_write(self) -> None:
        self._near.shutdown(socket.SHUT_WR)

    @property
    def closed(self) -> bool:
        return self.server.poll() is not None

    def close(self) -> None:
        """Hang up. A server that reads the end of its input ends; one that hangs is killed."""
        self._near.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.server.wait(IDLE)
        if self.server.poll() is None:
            self.server.kill()
            self.server.wait()


def by_shell(command: str) -> list[str]:
    """How an account's shell runs a command."""
    return ["/bin/sh", "-c", f"exec {command}"]


class PlainLink:
    """Implements the disk's `Link`: each channel is a server process of its own. `wrap` puts something in between."""

    place = "the server"
    server = "SSH-2.0-OpenSSH_plain"

    def __init__(
        self,
        command: Sequence[str],
        idle: float,
        wrap: Callable[[SocketPipe], Any],
        program: Callable[[str], Sequence[str]] = by_shell,
    ) -> None:
        self._command, self._idle, self._wrap, self._program = command, idle, wrap, program
        self._pipes: list[SocketPipe] = []
        self.programs: list[SocketPipe] = []

    def channel(self) -> Any:
        self._pipes.append(SocketPipe(self._command, self._idle))
        return self._wrap(self._pipes[-1])

    def program(self, command: str) -> Any:
        self.programs.append(SocketPipe(self._program(command), self._idle))
        return self._wrap(self.programs[-1])

    def stop(self) -> None:
        self.programs[-1].server.terminate()
        self.programs[-1].close()

    def gather(self, many: bool, /) -> None:
        """Each reply is looked at as it comes."""

    @property
    def alive(self) -> bool:
        return all(pipe.server.poll() is None for pipe in self._pipes)

    def close(self) -> None:
        for pipe in (*self.programs, *self._pipes):
            pipe.close()


def plain(
    command: Callable[[], Sequence[str]] = lambda: [str(SFTP_SERVER)],
    wrap: Callable[[SocketPipe], Any] = lambda pipe: pipe,
    program: Callable[[str], Sequence[str]] = by_shell,
) -> Callable[..., PlainLink]:
    """What a disk connects with, in place of SSH. `command` says, for each connection, what to start, `program` for each command."""

    def connecting(settings: SftpTarget, **_: object) -> PlainLink:
        return PlainLink(command(), settings.idle_timeout, wrap, program)

    return connecting


def plain_disk(settings: SftpTarget, target: str, wrap: Callable[[SocketPipe], Any] = lambda pipe: pipe) -> SftpDisk:
    """A disk at a real sftp-server."""
    return SftpDisk(settings, target=target, connecting=plain(wrap=wrap))
