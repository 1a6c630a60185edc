"""What a target can answer, sorted by what the caller does.

TargetError
├── TransientTargetError        try again later
│   ├── TargetUnreachable       no connection, or no root (is it mounted?); opens the target's breaker, spends no attempt
│   └── TargetBusy              another holder is in the way for the moment
├── PermanentTargetError        a person must act
│   ├── HostKeyRefused          unknown or changed host key; seen before authentication
│   ├── LoginRefused            one try, never repeated
│   ├── PermissionRefused       the account may not write there
│   ├── NoSpace                 the file system is full, or has too few free inodes; tried again, for room may have been made
│   ├── TargetUnfit             a needed ability is missing (posix-rename, fsync where asked for, one file system)
│   └── PathBlocked             a directory, link or special file stands where a file must go
├── Fenced                      somebody with a later fence has this module: stop, touch nothing, report nothing
├── SerialTooHigh               the live slip is newer than this task by its own queue's count: hold for a person
├── WrittenByNewer              a newer Slipway is at work in the module: left to its engines
├── AreaMissing                 the target is managed by another queue id, or by none while it has commit records
└── CorruptTransfer             the target answered for bytes that are not the ones that were sent
"""


class TargetError(Exception):
    """Something about a target; the message names it and the remedy."""

    def __init__(self, message: str, *, target: str = "") -> None:
        self.target = target
        super().__init__(message)

    def name(self, target: str) -> None:
        """Give the error the target's name, also at the front of its message, unless it has one."""
        if not self.target:
            self.target = target
            self.args = (f"{target}: {self}", *self.args[1:])


class TransientTargetError(TargetError):
    """Try again later."""


class TargetUnreachable(TransientTargetError):
    """No connection, it was cut, or the root is missing. What was under way may or may not have happened."""


class TargetBusy(TransientTargetError):
    """Somebody else is at work there for the moment."""


class PermanentTargetError(TargetError):
    """A person must act."""


class HostKeyRefused(PermanentTargetError):
    """The host key is unknown or is not the configured one."""


class LoginRefused(PermanentTargetError):
    """The server did not accept the account's key."""


class PermissionRefused(PermanentTargetError):
    """The account may not do this."""


class NoSpace(PermanentTargetError):
    """No room for what has to be written."""


class TargetUnfit(PermanentTargetError):
    """The server lacks what the protocol needs."""


class PathBlocked(PermanentTargetError):
    """Something that is not a regular file stands where a file must go."""


class Fenced(TargetError):
    """A later holder has the module: this one stops and touches nothing more."""


class SerialTooHigh(TargetError):
    """The live slip was published by a later task of this queue than the queue remembers."""


class WrittenByNewer(TargetError):
    """What lies there is of a version that this one does not know."""


class AreaMissing(TargetError):
    """The target has no area of this queue; 'slipway target adopt NAME' makes or takes over one."""


class CorruptTransfer(TransientTargetError):
    """What arrived is not what was sent."""
