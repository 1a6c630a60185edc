"""Deposits by SWORD, versions 1.3 and 2.0, and looking up what became of one.

The specifications: http://swordapp.org/docs/sword-profile-1.3.html and
http://swordapp.org/wp-content/uploads/2011/04/SWORDProfile.html. Content-MD5 is in hexadecimal, as both have it.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from archives.atom import Entry, Feed, NotAtom, read_feed
from archives.errors import ArchiveError, LookupRefused, NoCollection, NoLookup
from archives.receipt import Receipt, absolute, read_receipt, receipt_of
from archives.service import read_service
from archives.verdicts import lookup_fault, verdict, waiting
from archives.wire import Body, Wire
from config import ArchiveSettings

METS_DSPACE = "http://purl.org/net/sword-types/METSDSpaceSIP"
METS_DSPACE_2 = "http://purl.org/net/sword/package/METSDSpaceSIP"
_SIMPLE_ZIP = "http://purl.org/net/sword/package/SimpleZip"
_PACKAGINGS = {
    ("sword1", "mets"): METS_DSPACE,
    ("sword2", "mets"): METS_DSPACE_2,
    ("sword1", "imscp"): "http://www.imsglobal.org/xsd/imscp_v1p1",
    ("sword2", "imscp"): "http://www.imsglobal.org/xsd/imscp_v1p1",
    ("sword1", "bagit"): "http://purl.org/net/sword-types/bagit",
    ("sword2", "bagit"): "http://purl.org/net/sword/package/BagIt",
    # Nobody named one for DSpace's own archive format: archives that take it give it a name of their own.
    ("sword1", "saf"): _SIMPLE_ZIP,
    ("sword2", "saf"): _SIMPLE_ZIP,
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def collection_for(settings: ArchiveSettings, department_code: str | None, module_type: str | None, archive: str = "") -> str:
    """The URL to deposit at: the department's, else the module type's, else `default`. Raises NoCollection."""
    for key in (department_code, module_type, "default"):
        if key and key in settings.deposits:
            return settings.deposits[key]
    what = f"department {department_code} or type {module_type}"
    message = f"{archive or 'the archive'} has no collection for {what}; add one to deposits"
    raise NoCollection(message, archive=archive)


def packaging_for(settings: ArchiveSettings, form: str) -> str:
    """The packaging's URI: the configured one, else that of the form (imscp, mets, saf, bagit)."""
    return settings.packaging or _PACKAGINGS[settings.kind, form]


class Sword:
    """One archive. Safe for many threads: each request has a connection of its own."""

    def __init__(
        self,
        settings: ArchiveSettings,
        password: str | None,
        *,
        name: str = "archive",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._settings = settings
        self._wire = Wire(name, settings, password)
        self._now = now

    def deposit(
        self,
        package: Path | Callable[[], BinaryIO],
        size: int,
        md5_hex: str,
        filename: str,
        *,
        collection: str,
        packaging: str,
        slug: str,
    ) -> Receipt:
        """Send a package, in one request, without holding it in memory. Raises ArchiveError's kinds.

        Never call it again after AnswerLost before `find` has said that the archive does not have the package.
        """
        headers = self._headers(md5_hex, filename, packaging, slug)
        with _opened(package) as stream:
            answer = self._wire.post(collection, headers, Body(stream, size))
        try:
            return verdict(self.name, self._settings, answer)
        except ArchiveError as error:
            raise waiting(error, answer, self._now()) from None

    def find(self, collection: str, *, identifier: str, md5: str) -> Receipt | None:
        """What the archive has of this deposit, or None: it does not have it.

        An entry is it if one of its names (id, identifiers, links) ends with the MD5, or else if one is the identifier; so
        that must name this very package, not only the module. Raises LookupRefused, NoLookup, ArchiveUnreachable,
        ArchiveBusy: then nothing is known.
        """
        start = self._lookup(collection, identifier, md5)
        named: Receipt | None = None
        others: list[Receipt] = []
        for page, entry in self._entries(collection, start):
            receipt = receipt_of(entry, page, None, self._settings.handle, b"")
            names = {name.strip().casefold() for name in entry.names()}
            if any(name.endswith(md5.casefold()) for name in names):
                return receipt
            if named is None and identifier.casefold() in names:
                named = receipt
            others = [*others[:1], receipt]
        return named or (self._only(others, start) if self._settings.lookup and self._settings.lookup_exact else None)

    def _only(self, found: list[Receipt], start: str) -> Receipt | None:
        """The one item of a search that finds nothing else. Two mean that it does."""
        if len(found) > 1:
            message = f"{self.name}: {start} answers with more than one item; make lookup more exact, or set lookup_exact = false"
            raise LookupRefused(message, archive=self.name, status=200)
        return found[0] if found else None

    def read(self, location: str) -> Receipt:
        """The receipt as it is now, for a deposit that had no handle yet. `location`: a receipt's. Raises as `find` does."""
        body = self._get(location, trusted=True)
        return read_receipt(body, location, location, self._settings.handle)

    def probe(self) -> None:
        """Whether the archive answers at all: its service document if that is configured, else any collection.

        Raises ArchiveUnreachable or ArchiveBusy. A collection that is not for reading is an answer too.
        """
        url = self._settings.service or next(iter(self._settings.deposits.values()))
        answer = self._wire.get(url)
        error = lookup_fault(self.name, answer, self._now())
        if error is not None and not isinstance(error, LookupRefused):
            raise error

    def check(self, packagings: Iterable[str] = ()) -> Iterator[tuple[str, bool, str]]:
        """Whether deposits would work, without making any: each thing that was looked at, whether it is well, and why not.

        `packagings`: those that will be sent. With a service document each collection is looked up in it.
        """
        url = self._settings.service or next(iter(self._settings.deposits.values()))
        try:
            answer = self._wire.get(url)
        except ArchiveError as error:
            yield f"{self.name}: {url} answers", False, str(error)
            return
        refused = answer.status in {401, 403}
        yield f"{self.name}: {url} answers", not refused, "correct username and password" if refused else ""
        if self._settings.service and not refused:
            yield from self._collections(answer.body, url, [self._settings.packaging or each for each in packagings])

    def _collections(self, document: bytes, url: str, packagings: list[str]) -> Iterator[tuple[str, bool, str]]:
        try:
            offered = read_service(document, url)
        except ArchiveError as error:
            yield f"{self.name}: the service document", False, str(error)
            return
        for key, place in self._settings.deposits.items():
            what = f"{self.name}: deposits.{key} takes packages"
            if place not in offered:
                yield what, False, f"{place} is not in the service document, which has {', '.join(offered)}"
                continue
            wanted: list[str | None] = [*packagings] or [None]
            objections = [found for each in wanted if (found := offered[place].objection(each))]
            yield what, not objections, "; ".join(objections)

    def _headers(self, md5_hex: str, filename: str, packaging: str, slug: str) -> Mapping[str, str]:
        headers = {"Content-Type": "application/zip", "Content-MD5": md5_hex, "Accept": "application/atom+xml"}
        name = _UNSAFE.sub("_", filename)
        if self._settings.kind == "sword1":
            headers |= {"X-Packaging": packaging, "Content-Disposition": f"filename={name}"}
            behalf = "X-On-Behalf-Of"
        else:
            headers |= {"Packaging": packaging, "Content-Disposition": f"attachment; filename={name}", "In-Progress": "false"}
            # RFC 5023, 9.7: the words of a slug are percent-encoded UTF-8.
            headers["Slug"] = quote(slug, safe=" !#$&'()*+,/:;=?@[]~")
            behalf = "On-Behalf-Of"
        return headers | ({behalf: self._settings.on_behalf_of} if self._settings.on_behalf_of else {})

    def _lookup(self, collection: str, identifier: str, md5: str) -> str:
        if self._settings.lookup:
            # Not string.Template: such a URL has other dollar signs too.
            pattern = self._settings.lookup.replace("$identifier", quote(identifier, safe=""))
            return pattern.replace("$md5", quote(md5, safe=""))
        if self._settings.kind == "sword2":
            return collection
        message = (
            f"{self.name}: SWORD 1.3 does not list what is in a collection, and no lookup is configured; look into the archive "
            f"for {identifier} (MD5 {md5}), and set lookup, such as to its OpenSearch URL"
        )
        raise NoLookup(message, archive=self.name)

    def _entries(self, collection: str, start: str) -> Iterator[tuple[str, Entry]]:
        """Every entry of the feed with the URL of its page, page by page."""
        url: str | None = start
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) == self._settings.lookup_pages:
                why = "goes round in a circle" if url in seen else f"has more than {self._settings.lookup_pages} pages"
                raise LookupRefused(f"{self.name}: the feed of {start} {why}; correct lookup or lookup_pages", archive=self.name)
            seen.add(url)
            feed = self._feed(url, trusted=_origin(url) == _origin(collection))
            yield from ((url, entry) for entry in feed.entries)
            following = absolute(url, feed.next)
            if feed.next and following is None:
                message = f"{self.name}: the feed of {start} goes on at {feed.next!r}, which is no URL; correct lookup"
                raise LookupRefused(message, archive=self.name)
            if following and _origin(following) != _origin(start):
                message = f"{self.name}: the feed of {start} goes on at another server, {_origin(following)[1]}; correct lookup"
                raise LookupRefused(message, archive=self.name)
            url = following

    def _feed(self, url: str, *, trusted: bool) -> Feed:
        body = self._get(url, trusted=trusted)
        try:
            return read_feed(body)
        except NotAtom as error:
            message = f"{self.name}: {url} is no Atom feed: {error}; correct lookup"
            raise LookupRefused(message, archive=self.name, status=200) from error

    def _get(self, url: str, *, trusted: bool) -> bytes:
        answer = self._wire.get(url, trusted=trusted)
        if error := lookup_fault(self.name, answer, self._now()):
            raise error
        return answer.body


@contextmanager
def _opened(package: Path | Callable[[], BinaryIO]) -> Iterator[BinaryIO]:
    with package.open("rb") if isinstance(package, Path) else package() as stream:
        yield stream


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].casefold()
