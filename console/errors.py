"""What a request is refused for.

Refused: an answer for a person, with a status of HTTP
  NotSignedIn (401)
  NotAllowed (403)
  NotThere (404)
  NotUnderstood (422)
  TooMuch (429)
ConsoleRefused: the console does not start with these settings
"""

from collections.abc import Mapping, Sequence


class Refused(Exception):
    """Not done. `title`: in a few words; the message: what, why, and what to do. `again`: seconds to wait, if that helps."""

    def __init__(self, status: int, title: str, message: str, again: int | None = None) -> None:
        self.status, self.title, self.again = status, title, again
        super().__init__(message)


class NotSignedIn(Refused):
    def __init__(self, message: str = "Sign in first.") -> None:
        super().__init__(401, "Not signed in", message)


class NotAllowed(Refused):
    def __init__(self, message: str) -> None:
        super().__init__(403, "Not allowed", message)


class NotThere(Refused):
    def __init__(self, message: str) -> None:
        super().__init__(404, "Not found", message)


class NotUnderstood(Refused):
    """What a script sent. `faults`: each with its place (`in`, `field`) and a `message`."""

    def __init__(self, message: str, faults: Sequence[Mapping[str, str]] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__(422, "Not understood", message)


class TooMuch(Refused):
    def __init__(self, message: str, again: int) -> None:
        super().__init__(429, "Too many at once", message, again)


class ConsoleRefused(Exception):
    """The console cannot start safely; the message says what to correct."""
