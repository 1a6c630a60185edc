"""Where folders get exactly the modes that are wanted by themselves, so that nobody has to look at them."""

import posixpath
from collections.abc import Callable, Iterable

from targets.disk import Op
from targets.sftp.calls import Change

_MANY = 256
"""Folders about which is remembered what modes are like in them; then it begins anew."""


class Modes:
    """What is known of one connection: umask and default ACLs take part in MKDIR."""

    def __init__(self) -> None:
        self._right: set[tuple[bytes, int]] = set()
        """Folders, and modes that what is made in them gets by itself."""

    def note(self, right: Iterable[tuple[bytes, int]]) -> None:
        """It was seen of these."""
        if len(self._right) > _MANY:
            self._right.clear()
        self._right.update(right)

    def forget(self) -> None:
        """The next connection may be to another server."""
        self._right.clear()

    def batches(self) -> Callable[[Change], Op | None]:
        """What says of each of some calls, one after the other, what kind of batch it goes into.

        Syncs, folders whose modes have to be looked at before anything else, or the rest.
        """
        handed_down: set[tuple[bytes, int]] = set()

        def batch(change: Change) -> Op | None:
            if change.op is Op.MKDIR and change.mode is not None:
                place = posixpath.dirname(change.path), change.mode
                if place not in self._right and place not in handed_down:
                    return Op.MKDIR
                # The umask is the same in it, and so are default ACLs.
                handed_down.add((change.path, change.mode))
            return Op.SYNC if change.op is Op.SYNC else None

        return batch
