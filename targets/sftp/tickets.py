"""Requests under way, and who waits for them."""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from targets.sftp.framing import Reply

IDS = 0xFFFFFFFF
"""The ids of requests go round."""
_SMALL_REPLY = 4096
"""Bytes of a reply where few are awaited: a status with its text, attributes, a handle. OpenSSH's have less than 300."""
_GENEROUS = 4
"""How many times as long as awaited a long reply may be: some servers list more names at once than others."""

_NONE_YET = Reply(0, b"")

T = TypeVar("T")


class Ticket:
    """Requests that went out together; whoever waits for it goes on once all of them were answered."""

    __slots__ = ("cost", "first", "left", "most", "ready", "replies", "unwanted", "work")

    def __init__(self, first: int, count: int, awaited: int) -> None:
        self.first = first
        """The id of the first; the others' follow."""
        self.left = count
        """How many are not answered yet."""
        self.replies = [_NONE_YET] * count
        """In the order of the requests, whatever the order in which they came."""
        self.cost = awaited * count
        """Bytes of the awaited replies and of the requests' bodies."""
        self.most = _SMALL_REPLY + _GENEROUS * awaited
        """Bytes that a reply may have: thousands of them are kept at once, and none may be a flood."""
        self.ready: deque[Work[Any]] | None = None
        """Where whoever waits for it stands once it is answered, ..."""
        self.work: Work[Any]
        """... and who that is, if somebody does."""
        self.unwanted: Callable[[Ticket], None] | None = None
        """What to do with the replies when nobody waits for them any more."""

    @property
    def reply(self) -> Reply:
        """What came for a single request."""
        [only] = self.replies
        return only


Work = Generator[Ticket | None, None, T]
