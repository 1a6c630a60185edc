"""How many files go to a server: as a stream where it takes one, which is tried and proven, or each by itself."""

import hashlib
import io
import secrets
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import structlog

from targets.disk import Write
from targets.errors import TargetError, TargetUnfit
from targets.sftp import fields, wire
from targets.sftp.asking import ask_all
from targets.sftp.session import Session
from targets.sftp.steps import Steps
from targets.sftp.stream import Stream
from targets.sftp.tickets import Work
from targets.verdicts import Verdicts

log = structlog.get_logger(__name__)

_CHECK = "many files go as one stream"


class Choice:
    """Begins the stream of one connection. Used by one thread at a time.

    `way`: "stream" is an error where a server takes none, "auto" leaves its files to SFTP, "sftp" never tries. `target`: the name
    that verdicts have.
    """

    def __init__(self, stream: Stream, way: Literal["auto", "stream", "sftp"], target: str, verdicts: Verdicts) -> None:
        self._stream, self._way, self._target, self._verdicts = stream, way, target, verdicts

    @property
    def may_begin(self) -> bool:
        """Whether there is no stream, and could be one."""
        refused = self._way == "sftp" or (self._way == "auto" and self._verdicts.of(self._target) is False)
        return not refused and not self._stream.begun and not self._stream.busy

    def begin(self, session: Session, path: bytes) -> None:
        """Begin a stream, if the server takes one. `path`: a name of the first file that is to go.

        Where it must, this raises what `Stream.begin` does, and TargetUnfit if the program does not see what SFTP does.
        """
        try:
            self._try(session, path.rpartition(b"/")[0])
        except (TargetError, OSError) as error:
            if self._way == "stream":
                raise
            self.give_up(error)

    def checks(self, session: Session, folder: bytes) -> Iterator[tuple[str, bool, str]]:
        """What a probe says: (what, works, remedy). `folder`: one that SFTP made."""
        if self._way == "sftp":
            return
        try:
            self._try(session, folder)
        except (TargetError, OSError) as error:
            yield (f"many files go one by one, since {error}", True, "") if self._way == "auto" else (_CHECK, False, str(error))
        else:
            yield _CHECK, True, ""

    def give_up(self, why: Exception) -> None:
        """Leave files to SFTP for a while, if that may be: programs may be granted less than SFTP, and be ended in the midst."""
        if self._way == "auto":
            self._verdicts.say(self._target, streams=False)
            log.info("stream given up", target=self._target, reason=str(why))

    def _try(self, session: Session, folder: bytes) -> None:
        """Begin it; it goes on if it is proven, now or a short while ago."""
        try:
            # What went ahead by SFTP is there before the program needs it.
            while session.waiting:
                session.receive()
            self._stream.begin()
            if self._verdicts.of(self._target):
                return
            if self._proven(session, folder):
                self._verdicts.say(self._target, streams=True)
            else:
                self._stream.end()
        except BaseException:
            self._stream.end()
            raise

    def _proven(self, session: Session, folder: bytes) -> bool:
        """Whether SFTP finds a file of the program's, of its own account's. False: nobody can say, as the folder is not there.

        Some servers show an account one tree by SFTP and another to its shell, or write in another account's name by SFTP.
        """
        name = folder + b"/.slipway-" + secrets.token_hex(8).encode()
        with suppress(FileNotFoundError):
            self._stream.carry_out(Steps([], [(_NOTHING, name)], [], []))
        theirs, ours = session.finish(_seen_and_removed(session, folder or b"/", name))
        if theirs is None:
            return False
        if ours is None or ours.owner != theirs.owner:
            shown = folder.decode("utf-8", "replace")
            raise TargetUnfit(
                f"{session.place} lets programs of this account write elsewhere, or as somebody else, than SFTP ({shown!r}). "
                'Set transfer = "sftp".'
            )
        return True


_NOTHING = Write("", io.BytesIO, 0, hashlib.sha256().digest(), 0o600)


def _seen_and_removed(session: Session, folder: bytes, name: bytes) -> Work[list[fields.Attributes | None]]:
    """What lies at both names, the second of which is removed. None: nothing that the account may look at."""
    replies = yield from ask_all(session, [wire.lstat(folder), wire.lstat(name), wire.remove(name)])
    found = map(wire.attributes, replies[:2])
    return [said if isinstance(said, fields.Attributes) else None for said in found]
