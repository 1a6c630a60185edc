"""What an archive's answer means: a receipt, or one of our errors. Pure: an answer goes in, a verdict comes out.

An archive that fails with 500, 502 or 504 may have made the item before it failed, or may still be at it behind a proxy that
gave up: that is a lost answer. 408, 429 and 503 are said before anything is taken.
"""

import re
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from archives.atom import ErrorDocument, read_error
from archives.errors import AlreadyDeposited, AnswerLost, ArchiveBusy, ArchiveError, DepositRefused, LookupRefused
from archives.receipt import Receipt, absolute, find_handle, read_receipt
from archives.wire import Answer
from config import ArchiveSettings

_MADE = frozenset({200, 201, 202})
_AGAIN = frozenset({408, 429, 503})
_REMEDIES = {
    400: "the archive does not understand the request; compare kind and packaging with its service document",
    401: "correct username and password",
    403: "give the account the right to deposit in this collection, and on behalf of others if on_behalf_of is set",
    404: "correct this collection's URL in deposits",
    405: "this URL takes no deposits; correct it in deposits",
    406: "the archive cannot read this packaging; correct packaging, or the form",
    411: "the archive wants another way of sending; ask its operators",
    412: "the package was damaged on its way, or the archive allows no deposits on behalf of others",
    413: "the package is too large for this collection; leave media out, or ask the archive's operators",
    415: "the archive does not take this packaging here; correct packaging, or the form",
}
_LONGEST_WAIT = 86_400.0
"""Seconds. A queue has no room for a time beyond the year 9999, and nobody remembers a deposit that waits for weeks."""
_WORDS = 500
"""Characters of an archive's own words that go into a message."""


def verdict(archive: str, settings: ArchiveSettings, answer: Answer) -> Receipt:
    """The receipt in the answer to a deposit. Raises the error that it amounts to.

    A status of success counts even without a readable receipt: the item is there, and its handle has to be asked for.
    """
    if answer.status in _MADE:
        return read_receipt(answer.body, answer.url, answer.headers.get("Location"), settings.handle)
    said = read_error(answer.body)
    if answer.status >= 400 and _duplicate(settings, answer, said):
        raise _already(archive, settings, answer, said)
    raise _refusal(archive, answer, said)


def lookup_fault(archive: str, answer: Answer, now: float) -> ArchiveError | None:
    """Why this answer to a question says nothing about what the archive has; None if it does."""
    if answer.status == 200:
        return None
    retry_after = seconds_asked(answer.headers.get("Retry-After"), now)
    if answer.status >= 500 or answer.status in _AGAIN:
        message = f"{archive}: {answer.url} answers {answer.status} now; it is asked again later"
        return ArchiveBusy(message, archive=archive, retry_after=retry_after)
    said = read_error(answer.body)
    message = f"{archive}: {answer.url} cannot be read: {_words(answer, said)}; {_lookup_remedy(answer)}"
    return LookupRefused(message, archive=archive, status=answer.status, summary=said.summary if said else "")


def waiting(error: ArchiveError, answer: Answer, now: float) -> ArchiveError:
    """The same error, with the time that the archive asked for."""
    if isinstance(error, ArchiveBusy | AnswerLost):
        error.retry_after = seconds_asked(answer.headers.get("Retry-After"), now)
    return error


def seconds_asked(value: str | None, now: float) -> float | None:
    """A Retry-After in seconds from now, a day at most; it comes as seconds or as a date."""
    if not value:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_WAIT)
    try:
        return min(max(0.0, parsedate_to_datetime(value).timestamp() - now), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


def _refusal(archive: str, answer: Answer, said: ErrorDocument | None) -> ArchiveError:
    words = _words(answer, said)
    if answer.status in _AGAIN:
        return ArchiveBusy(f"{archive}: {answer.url} took nothing: {words}; it is asked again later", archive=archive)
    if answer.status >= 500 or answer.status < 300:
        message = f"{archive}: {answer.url} failed: {words}; it may have the deposit all the same, so it is looked up first"
        return AnswerLost(message, archive=archive)
    remedy = _redirected(answer) if answer.status < 400 else _REMEDIES.get(answer.status, "ask the archive's operators")
    message = f"{archive}: {answer.url} refused the deposit: {words}; {remedy}"
    return DepositRefused(message, archive=archive, status=answer.status, summary=said.summary if said else "")


def _duplicate(settings: ArchiveSettings, answer: Answer, said: ErrorDocument | None) -> bool:
    text = f"{said.uri} {said.summary}" if said else answer.body[:_WORDS].decode("utf-8", "replace")
    return bool(settings.duplicate) and re.search(settings.duplicate, text) is not None


def _already(archive: str, settings: ArchiveSettings, answer: Answer, said: ErrorDocument | None) -> AlreadyDeposited:
    receipt = read_receipt(answer.body, answer.url, answer.headers.get("Location"), settings.handle)
    summary = said.summary if said else ""
    return AlreadyDeposited(
        f"{archive}: {answer.url} has this package already: {_words(answer, said)}",
        archive=archive,
        handle=receipt.handle or find_handle([word.strip("().,;'\"") for word in summary.split()], settings.handle),
        location=receipt.location,
        document=answer.body,
    )


def _words(answer: Answer, said: ErrorDocument | None) -> str:
    if said is None or not (said.uri or said.summary):
        return f"status {answer.status}"
    kind = said.uri.rpartition("/")[2]
    return f"status {answer.status}, {': '.join(part for part in (kind, said.summary) if part)}"[:_WORDS]


def _redirected(answer: Answer) -> str:
    where = urlsplit(absolute(answer.url, answer.headers.get("Location")) or "")
    place = f"{where.scheme}://{where.netloc.rpartition('@')[2]}{where.path}" if where.netloc else "nowhere"
    return f"it points to {place}, and a deposit never follows; correct this collection's URL in deposits"


def _lookup_remedy(answer: Answer) -> str:
    if answer.status in {401, 403}:
        return "correct username and password, or the account's rights"
    return "correct lookup, or look into the archive yourself"
