"""The log of a real SFTP server as moves: which renames between a holder's folder and the public tree it carried out.

OpenSSH writes a request before it carries it out, and a line after it only if it failed. Each line names the process, so
the answer belongs to the last request of the same one.
"""

import re
from collections.abc import Iterable, Iterator

from reliability.happenings import Move

_LINE = re.compile(r"internal-sftp\[(\d+)\]: (.*)$")
_RENAME = re.compile(r'(?:posix-)?rename old "(.*)" new "(.*)"$')
_HELD = re.compile(r"(?:^|/)modules-([^/]+)/modules/([^/]+)/(\d{19}\.[0-9a-f]{8})/([^/]+)$")


def moves_of(lines: Iterable[str], target: str) -> Iterator[Move]:
    """The moves that succeeded, in the order of the log."""
    waiting: dict[str, int] = {}
    found: list[Move | None] = []
    for line in lines:
        if (match := _LINE.search(line)) is None:
            continue
        process, words = match.groups()
        if words.startswith("sent status "):
            # End of file answers a read; whatever else is said about the last request, it did not happen.
            if process in waiting and words != "sent status End of file":
                found[waiting.pop(process)] = None
            continue
        waiting.pop(process, None)
        if (rename := _RENAME.match(words)) and (move := move_of(target, *rename.groups())):
            waiting[process] = len(found)
            found.append(move)
    return (move for move in found if move is not None)


def move_of(target: str, old: str, new: str) -> Move | None:
    """A rename that visitors can see, or of the commit record; None for staging, notes and tokens."""
    left, right = _HELD.search(old), _HELD.search(new)
    if left and not right and left[4].startswith(("s:", "d:")):
        return Move(target, left[1], left[2], left[3], new)
    if right and not left and right[4].startswith("t:"):
        return Move(target, right[1], right[2], right[3], old)
    return None
