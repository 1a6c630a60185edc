"""The server's own names of what lies below a target's root."""

import posixpath
from collections.abc import Iterable, Sequence

from packageslip import UnsafePath
from targets.disk import Call, Op
from targets.sftp.calls import Change


class Names:
    """`root`: an absolute path of the server's."""

    def __init__(self, root: str) -> None:
        self._root, self._inside = root, posixpath.join(root, "")

    def path(self, path: str) -> bytes:
        """The server's name of a path. A NUL would end the whole session at OpenSSH, so it never gets there.

        Raises UnsafePath.
        """
        if "\0" in path:
            raise UnsafePath(path, "N4", "a NUL ends names on every server")
        whole = path if path.startswith("/") else f"{self._inside}{path}" if path else self._root
        try:
            return whole.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            raise UnsafePath(path, "N16", "it is not valid Unicode") from error

    def _to(self, call: Call) -> bytes:
        """The other path of a call. Where a symbolic link leads is relative to the link, not to the root."""
        if call.op is Op.SYMLINK:
            return call.to.encode("utf-8", "surrogateescape")
        return self.path(call.to) if call.to else b""

    def changes(self, calls: Iterable[Call]) -> Sequence[Change]:
        """Calls with these names."""
        return [Change(call.op, self.path(call.path), self._to(call), call.mode) for call in calls]
