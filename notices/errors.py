"""What can go wrong when somebody is told something, sorted by what the caller does.

NoticeError
├── NoticeUnreachable     no connection, a time-out, an error of the server: opens the breaker, spends no attempt
│   ├── NoticeBusy        it asks to wait (429, 503): the same, for as long as it asks
│   └── NoticeBroken      it answered with an error of its own program (500): the same, if it has one for other messages too
├── NoticeStumbled        a receiver failed over this one message: tried again, while attempts are left
└── NoticeRefused         it answered no, or something here is wrong: a person must act

No message of these repeats more of an address than its host: the rest of a URL may be a secret.
"""


class NoticeError(Exception):
    """Something about a notice or an alert; the message names it, what happened, and the remedy."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoticeUnreachable(NoticeError):
    """No answer, or only errors."""


class NoticeBusy(NoticeUnreachable):
    """It has too much to do. `retry_after`: seconds that it asks for, if it says so."""


class NoticeBroken(NoticeUnreachable):
    """An error of the program that answers, to this message at least."""


class NoticeStumbled(NoticeError):
    """The receiver answered with an error of its own to this message."""


class NoticeRefused(NoticeError):
    """A person must act."""
