"""What can go wrong with a package or with an archive, sorted by what the caller does.

PackageError                   the package cannot be made, or is none; a person must act
ArchiveError                   something about an archive; `archive` is its name
├── TransientArchiveError      nothing of the deposit can be there; try again later
│   ├── ArchiveUnreachable     nothing of the request was sent: no address, no connection, no trust
│   └── ArchiveBusy            the archive said, before it took anything, to come again; `retry_after`
├── AnswerLost                 the request was sent in full or in part, and no answer says what became of it: look it up first
├── AlreadyDeposited           the archive says that it has this package
└── PermanentArchiveError      a person must act
    ├── DepositRefused         the archive understood and said no; `status`, `summary`
    ├── LookupRefused          the archive does not say what it has: no, or no feed; `status`, `summary`
    ├── NoLookup               nobody configured how to look a deposit up
    └── NoCollection           no deposit URL is configured for this module
"""


class PackageError(Exception):
    """A package cannot be made, or a file is not one; the message names the thing, the reason and the remedy."""


class ArchiveError(Exception):
    """Something about an archive; the message names it, what happened and what to do."""

    def __init__(self, message: str, *, archive: str = "") -> None:
        self.archive = archive
        super().__init__(message)


class TransientArchiveError(ArchiveError):
    """Nothing of the deposit can be at the archive; try again later. `retry_after`: seconds that it asked for, if it did."""

    def __init__(self, message: str, *, archive: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, archive=archive)
        self.retry_after = retry_after


class ArchiveUnreachable(TransientArchiveError):
    """Nothing was sent: there was no address, no connection or no trust."""


class ArchiveBusy(TransientArchiveError):
    """The archive asked us to come again."""


class AnswerLost(ArchiveError):
    """The request was sent in full or in part, and nobody knows whether the archive took it.

    Never deposit again before `Sword.find` has said that the archive does not have it. `retry_after`: seconds that the
    archive asked for, if it did.
    """

    def __init__(self, message: str, *, archive: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, archive=archive)
        self.retry_after = retry_after


class AlreadyDeposited(ArchiveError):
    """The archive says that it has this package. `handle` and `location` if its answer names them; `document` is the answer."""

    def __init__(
        self, message: str, *, archive: str = "", handle: str | None = None, location: str | None = None, document: bytes = b""
    ) -> None:
        super().__init__(message, archive=archive)
        self.handle, self.location, self.document = handle, location, document


class PermanentArchiveError(ArchiveError):
    """A person must act."""


class DepositRefused(PermanentArchiveError):
    """The archive said no. `status`: the HTTP status; `summary`: what its error document says."""

    def __init__(self, message: str, *, archive: str = "", status: int = 0, summary: str = "") -> None:
        super().__init__(message, archive=archive)
        self.status, self.summary = status, summary


class LookupRefused(PermanentArchiveError):
    """The archive does not say what it has. `status`: the HTTP status; `summary`: what its error document says."""

    def __init__(self, message: str, *, archive: str = "", status: int = 0, summary: str = "") -> None:
        super().__init__(message, archive=archive)
        self.status, self.summary = status, summary


class NoLookup(PermanentArchiveError):
    """Nobody configured how to look a deposit up: a person has to look into the archive."""


class NoCollection(PermanentArchiveError):
    """No deposit URL is configured for this module."""
