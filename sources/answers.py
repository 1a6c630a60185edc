"""What an HTTP answer means: statuses and headers become values and our errors, purely."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from packageslip import Kind, Resource, View
from sources.errors import (
    AccessRefused,
    PermanentSourceError,
    ResourceMissing,
    SourceError,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PAGES = ("text/html", "application/xhtml+xml")
_LONGEST_WAIT = 24 * 3600.0
"""Seconds. A server that asks for more, or for all eternity, has made a mistake, and is asked again the next day."""
_LONGEST_LENGTH = 19
"""Digits: as many bytes as a file can have on any disk."""


def fault(source: str, address: str, status: int, headers: Mapping[str, str], now: float) -> SourceError | None:
    """The error that this status is, or None for 200 and 304. `now` (epoch) is for a Retry-After that is a date."""
    said = f"{source}: {address} answered {status}"
    error: SourceError | None = None
    match status:
        case 200 | 304:
            pass
        case 401 | 403 | 407:
            remedy = "check the source's 'username' and 'password' and the rights of that account"
            error = AccessRefused(f"{said}: access is refused; {remedy}", source=source)
        case 404 | 410:
            error = ResourceMissing(f"{said}: it does not exist there; correct the slip or restore the file", source=source)
        case 408 | 416 | 425:
            error = TransientSourceError(f"{said}; it is asked again later", source=source)
        case 429 | 503:
            error = _busy(said, source, retry_after(headers, now), asked_to_wait=status == 429)
        case _ if status >= 500:
            error = SourceUnreachable(f"{said}: an error of the server; its log says more", source=source)
        case _:
            error = PermanentSourceError(f"{said}: no answer to a plain GET; look at the server and its proxies", source=source)
    return error


def _busy(said: str, source: str, wait: float | None, *, asked_to_wait: bool) -> TransientSourceError:
    """Without a Retry-After, 503 is what a proxy says for a server that is down."""
    if wait is None and not asked_to_wait:
        return SourceUnreachable(f"{said}: it is out of service", source=source)
    after = "" if wait is None else f" and asks to wait {wait:.0f} s"
    return SourceSlow(
        f"{said}: it has too much to do{after}; a lower 'parallel' asks less of it", source=source, retry_after=wait
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the answer asks to wait (RFC 9110 10.2.3: a number or a date), a day at most, or None.

    A date is compared with the server's own Date where it sent one, so that its clock may be wrong.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_WAIT)
    then, sent = parse_date(text), parse_date(headers.get("Date", ""))
    return None if then is None else min(max(0.0, then - (now if sent is None else sent)), _LONGEST_WAIT)


def parse_date(text: str) -> int | None:
    """An HTTP date as seconds since the epoch; None if it is none."""
    try:
        moment: datetime = parsedate_to_datetime(text)
        return int(moment.timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def content_length(headers: Mapping[str, str]) -> int | None:
    """How many bytes the answer says its file has; None if it does not say, or means encoded bytes."""
    if headers.get("Content-Encoding", "identity").lower() != "identity" or "Transfer-Encoding" in headers:
        return None
    return _length(headers)


def has_an_end(headers: Mapping[str, str]) -> bool:
    """Whether a cut connection can be told from the end of the body: by a length that is one, or by chunks and nothing else.

    A body with any other length or transfer coding is read to the end of the connection, wherever that comes.
    """
    if "Transfer-Encoding" in headers:
        return headers["Transfer-Encoding"].strip().lower() == "chunked"
    return _length(headers) is not None


def _length(headers: Mapping[str, str]) -> int | None:
    """The Content-Length; None where there is none, or what stands there is no length."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_LENGTH else None


def is_html(headers: Mapping[str, str]) -> bool:
    """Whether the answer says that it is an HTML page."""
    return headers.get("Content-Type", "").lower().strip().startswith(_PAGES)


def is_page_by_mistake(file: Resource | View, headers: Mapping[str, str]) -> bool:
    """Whether this is an HTML page where the slip lists something else: nearly always a login or an error page."""
    if not is_html(headers):
        return False
    if isinstance(file, View):
        return True
    if file.path.lower().endswith((".htm", ".html", ".xhtml")):
        return False
    return file.kind is not Kind.PAGE and not file.type.startswith(_PAGES)
