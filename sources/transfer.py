"""The transfer of one file over HTTP: asked for, counted, compared with its slip, kept."""

import re
from collections.abc import Callable, Mapping
from email.utils import formatdate

from packageslip import Digest, Resource, View
from sources.answers import content_length, has_an_end, is_page_by_mistake, parse_date
from sources.client import Answer
from sources.contract import Fetched, Want
from sources.errors import SourceSlow, SourceUnreachable, WrongBytes
from sources.pace import Pace
from sources.partial import Partial

PAST_CACHES = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')


def request_headers(want: Want, *, fresh: bool) -> dict[str, str]:
    """What to ask with: validators where "unchanged" would tell the digest, and past caches where none could be noticed.

    Without a digest in the slip, a proxy's stale copy would look as good as the file. `fresh`: ask for the bytes themselves.
    """
    headers = {} if want.file.digest is not None and not fresh else dict(PAST_CACHES)
    if fresh or not _can_be_unchanged(want):
        return headers
    if want.etag and _ETAG.fullmatch(want.etag):
        headers["If-None-Match"] = want.etag
    elif want.modified is not None:
        headers["If-Modified-Since"] = formatdate(want.modified, usegmt=True)
    return headers


def _can_be_unchanged(want: Want) -> bool:
    if want.digest is None or want.size is None:
        return False
    return want.file.digest in (None, want.digest) and want.file.size in (None, want.size)


def is_conditional(headers: Mapping[str, str]) -> bool:
    """Whether "unchanged" is an answer to this request."""
    return "If-None-Match" in headers or "If-Modified-Since" in headers


def receive(answer: Answer, want: Want, partial: Partial, *, pace: Pace, max_bytes: int) -> Fetched:
    """Take one answer's file. Raises WrongBytes for anything that is not the file of the slip."""
    file = want.file
    etag, modified = answer.headers.get("ETag"), parse_date(answer.headers.get("Last-Modified", ""))
    partial.begin(answer)
    _refuse_early(answer, file, partial.count)
    most = max_bytes if file.size is None else min(file.size, max_bytes)
    size = pour(answer, partial.write, most=most, pace=pace, start=partial.count)
    _check_size(answer, file, size, most)
    digest, size = partial.commit()
    _check_digest(answer, file, digest, size)
    return Fetched(file.path, digest, size, etag, modified)


def pour(answer: Answer, write: Callable[[bytes], object], *, most: int, pace: Pace, start: int = 0) -> int:
    """Write the body; how many bytes there are with the `start` before it.

    One that has more than `most` is left at the first chunk that shows it, with one byte too many written, so that
    whoever reads it sees that it is too long.
    """
    count = start
    for chunk in answer.chunks():
        count += len(chunk)
        if count > most:
            write(chunk[: len(chunk) + most + 1 - count])
            return count
        write(chunk)
        if slow := pace.verdict(count - start):
            raise SourceSlow(f"{answer.source}: {answer.where} {slow}", source=answer.source)
    return count


def beginning(answer: Answer, most: int) -> bytes:
    """The first bytes of the body; the rest is left unread."""
    found = b""
    for chunk in answer.chunks():
        found += chunk
        if len(found) >= most:
            break
    return found[:most]


def unchanged(answer: Answer, want: Want, *, asked: bool) -> Fetched:
    """What a 304 means for the want."""
    if not asked or want.digest is None or want.size is None:
        raise WrongBytes(f"{answer.source}: {answer.where} answered 304, which nobody asked for", source=answer.source)
    return Fetched(want.file.path, want.digest, want.size, want.etag, want.modified, unchanged=True)


def _refuse_early(answer: Answer, file: Resource | View, already: int) -> None:
    """What the headers alone tell, before any byte is kept."""
    length = content_length(answer.headers)
    if file.size is not None and length is not None and already + length != file.size:
        raise wrong(answer, f"has {already + length} bytes, the slip says {file.size}")
    if isinstance(file, View) and is_page_by_mistake(file, answer.headers):
        raise WrongBytes(
            f"{answer.source}: {answer.where} is an HTML page where a feed or JSON is asked for, perhaps a login or error page; "
            "look at it with the source's account",
            source=answer.source,
        )
    if file.digest is None and is_page_by_mistake(file, answer.headers):
        raise wrong(answer, "is an HTML page, perhaps a login or error page, and the slip lists something else")
    if file.digest is None and file.size is None and not has_an_end(answer.headers):
        raise wrong(answer, "came without a length, so that a cut cannot be noticed, and the slip has neither size nor digest")


def _check_size(answer: Answer, file: Resource | View, size: int, most: int) -> None:
    if size > most:
        limit = f"the slip says {file.size}" if file.size == most else "the largest file that is accepted ('max_file_bytes')"
        raise wrong(answer, f"has more than {most} bytes, {limit}")
    if file.size is not None and size != file.size:
        _refuse_cut(answer, size)
        raise wrong(answer, f"has {size} bytes, the slip says {file.size}")


def _check_digest(answer: Answer, file: Resource | View, digest: Digest, size: int) -> None:
    if file.digest is None or digest == file.digest:
        return
    if file.size is None:
        _refuse_cut(answer, size)
    page = ", an HTML page" if is_page_by_mistake(file, answer.headers) else ""
    raise wrong(answer, f"has the digest sha256:{digest.hex()}{page}, the slip says sha256:{file.digest.hex()}")


def _refuse_cut(answer: Answer, size: int) -> None:
    """Bytes without an end of their own that are not the file: more likely a cut connection than another file."""
    if not has_an_end(answer.headers):
        raise SourceUnreachable(
            f"{answer.source}: {answer.where} ended after {size} bytes, without a length to tell whether it was cut",
            source=answer.source,
        )


def wrong(answer: Answer, what: str) -> WrongBytes:
    """The error for bytes that are not the slip's."""
    remedy = "publish again once the CMS has made slip and files anew"
    return WrongBytes(f"{answer.source}: {answer.where} {what}; {remedy}", source=answer.source)
