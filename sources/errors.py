"""What a source can answer, sorted by what the caller does.

SourceError
├── TransientSourceError      try again later
│   └── SourceUnreachable     no connection, time-out, 5xx: opens the source's breaker, spends no attempt
│   └── SourceSlow            too many requests (Retry-After), or under the minimum rate
├── PermanentSourceError      a person must act
│   ├── NoSuchModule          the source has no slip for this URL
│   ├── ResourceMissing       a resource that the slip lists is 404 or 410: never a deletion
│   ├── AccessRefused         401, 403, a redirect to somewhere else
│   └── WrongBytes            length or digest differ from the slip's, twice
└── SourceChanged             slip and files do not belong together any more: load again from the start
"""


class SourceError(Exception):
    """Something about a source; the message names it, the thing, and the remedy."""

    def __init__(self, message: str, *, source: str = "") -> None:
        self.source = source
        super().__init__(message)


class TransientSourceError(SourceError):
    """Try again later. `retry_after`: seconds that the source asked for, if it did."""

    def __init__(self, message: str, *, source: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, source=source)
        self.retry_after = retry_after


class SourceUnreachable(TransientSourceError):
    """No answer, or only errors."""


class SourceSlow(TransientSourceError):
    """The source asked us to wait, or hardly sends."""


class PermanentSourceError(SourceError):
    """A person must act."""


class NoSuchModule(PermanentSourceError):
    """The source has no slip at this URL."""


class ResourceMissing(PermanentSourceError):
    """The slip lists a resource that the source does not have."""


class AccessRefused(PermanentSourceError):
    """The source does not let us in."""


class WrongBytes(PermanentSourceError):
    """What the source sends is not what its slip says."""


class SourceChanged(TransientSourceError):
    """The module changed while it was read."""
