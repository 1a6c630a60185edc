"""The SSH connection of a target's disk and the SFTP sessions on it: made at the first call, made anew after it was cut."""

from collections.abc import Callable
from typing import Protocol

import structlog

from config import SftpTarget
from targets.errors import TargetUnfit, TargetUnreachable
from targets.sftp import wire
from targets.sftp.connection import ReadsSecrets
from targets.sftp.modes import Modes
from targets.sftp.names import Names
from targets.sftp.receiver import Program, Receiver, command
from targets.sftp.session import Pipe, Session

log = structlog.get_logger(__name__)

LANES = 4
"""Channels for synced files. Measured on ext4, 2,000 files: one 10.6 s, two 6.9 s, four 3.7 s, eight 3.2 s."""
MANY_SYNCS = 32
"""As many as make further channels worth the round trips that they cost."""


class Link(Protocol):
    """What channels come from: an SSH connection, and in tests whatever carries SFTP."""

    place: str

    def channel(self) -> Pipe: ...
    def program(self, command: str) -> Program: ...
    def stop(self) -> None: ...
    def gather(self, many: bool, /) -> None: ...
    @property
    def alive(self) -> bool: ...
    @property
    def server(self) -> str: ...
    def close(self) -> None: ...


class Lanes:
    """`target`: the name that is logged. Used by one thread at a time."""

    def __init__(self, settings: SftpTarget, target: str, secrets: ReadsSecrets | None, connecting: Callable[..., Link]) -> None:
        self.settings, self.connecting = settings, connecting
        self._target, self._secrets = target, secrets
        self._connection: Link | None = None
        self.sessions: list[Session] = []
        """The first is for everything, the others for files that are synced."""
        self._widened = False
        self.modes = Modes()

    @property
    def serve(self) -> bool:
        """Whether there is a connection that is good. Otherwise the next call makes one, and what ran on the last one is lost."""
        if self._connection is None:
            return False
        return self._connection.alive and all(session.broken is None for session in self.sessions)

    def connected(self) -> Session:
        """The session for all but many synced files; a new one if there is none or the last one ended."""
        if self.serve:
            return self.sessions[0]
        if self._connection is not None:
            log.info("connection replaced", target=self._target, host=self.settings.host)
            self.close()
        connection = self.connecting(self.settings, target=self._target, secrets=self._secrets)
        try:
            self.sessions = [self._session(connection)]
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return self.sessions[0]

    def close(self) -> None:
        """Let go of all of it."""
        connection, self._connection, self.sessions, self._widened = self._connection, None, [], False
        self.modes.forget()
        if connection is not None:
            connection.close()

    def _session(self, connection: Link) -> Session:
        in_order, idle = "OpenSSH" in connection.server, self.settings.idle_timeout
        return Session(connection.channel(), connection.place, in_order=in_order, idle=idle, gather=connection.gather)

    def widen(self, syncs: int) -> None:
        """More server processes for many syncs: each waits for the disk at every file, but they wait at the same time."""
        if syncs < MANY_SYNCS or self._widened or self._connection is None:
            return
        self._widened = True
        try:
            while len(self.sessions) < LANES:
                self.sessions.append(self._session(self._connection))
        except (TargetUnfit, TargetUnreachable) as error:
            # MaxSessions of the server, most likely: fewer lanes are slower, nothing else.
            log.info("server allows few channels", target=self._target, lanes=len(self.sessions), reason=str(error))

    def receiver(self) -> Receiver:
        """The program that takes a stream, begun. Raises TargetUnfit, TargetUnreachable."""
        try:
            return self._begin()
        except TargetUnfit:
            if self.settings.transfer == "auto":
                # Files go by SFTP then, and nobody needs to be sure.
                raise
            # A server that stands still runs no program either, and may do so later: this raises TargetUnreachable then.
            session = self.sessions[0]
            session.wait(session.send(wire.lstat(Names(self.settings.root).path(""))))
            # One that was killed as it began says as little as one that may not run: that says it twice.
            return self._begin()

    def _begin(self) -> Receiver:
        connection = self._connection
        if connection is None:
            raise TargetUnreachable("the connection was closed meanwhile.")
        pipe = connection.program(command(syncs=self.settings.durability != "none"))
        try:
            if self.settings.transfer == "auto":
                # An account's shell may be a menu, which waits for somebody to choose.
                pipe.settimeout(min(self.settings.connect_timeout, self.settings.idle_timeout))
            receiver = Receiver(pipe, connection.place, patience=self.settings.idle_timeout)
            pipe.settimeout(self.settings.idle_timeout)
            return receiver
        except BaseException:
            connection.stop()
            raise
