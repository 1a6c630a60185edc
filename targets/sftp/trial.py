"""Whether a server takes streams: tried, where there is much to send, and given up for a while where the settings allow."""

import time
from collections.abc import Callable

import structlog

from targets.errors import TargetError, TargetUnfit, TargetUnreachable
from targets.sftp import looking
from targets.sftp.session import Session
from targets.sftp.stream import Stream

log = structlog.get_logger(__name__)

_REST = 600.0
"""Seconds without a further try: a menu that somebody gave an account as its shell takes a connection's patience each time."""
_CHECK = "run the program that takes a stream"


class Trial:
    """Begins a stream. `must`: what a server without streams is an error for; otherwise files go there by SFTP.

    `target`: the name that is logged.
    """

    def __init__(self, stream: Stream, *, target: str, must: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._target, self._must, self._clock = stream, target, must, clock
        self._rests_until = 0.0

    @property
    def may_begin(self) -> bool:
        """Whether there is no stream, and could be one."""
        return not self._stream.begun and (self._must or self._clock() >= self._rests_until)

    def begin(self, session: Session, beside: bytes) -> None:
        """Begin it, if the server takes one. `beside`: a name in a folder that is there. If it must, raises as `Stream.begin`."""
        try:
            self._stream.begin()
            self._require_same_place(session, beside.rpartition(b"/")[0] or b"/")
        except (TargetUnfit, TargetUnreachable) as error:
            self._stream.end()
            if self._must:
                raise
            self._rest(error)

    def check(self, session: Session, beside: bytes) -> tuple[str, bool, str]:
        """What a probe says of it: (what, works, remedy)."""
        if not self._stream.begun:
            try:
                self.begin(session, beside)
            except TargetUnfit as error:
                return _CHECK, False, str(error)
        return (_CHECK if self._stream.begun else "many files go one by one: no program for a stream runs there"), True, ""

    def broke(self, why: TargetError) -> None:
        """Its program ended in the middle: what cannot be there for long is not begun again at once."""
        if not self._must:
            self._rest(why)

    def _rest(self, why: TargetError) -> None:
        """Let files go by SFTP for a while."""
        self._rests_until = self._clock() + _REST
        log.info("no stream", target=self._target, seconds=_REST, reason=str(why))

    def _require_same_place(self, session: Session, folder: bytes) -> None:
        """Some servers show an account one tree by SFTP, and another to its shell."""
        if self._stream.sees(folder) or session.finish(looking.entries(session, [folder]))[0] is None:
            return
        name = folder.decode("utf-8", "replace")
        raise TargetUnfit(
            f'{session.place} shows other files to programs than by SFTP: they do not find {name!r}. Set transfer = "sftp".'
        )
