"""The service document of an archive (AtomPub, RFC 5023, 8): which collections it has, and what each takes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from archives.atom import NotAtom, parse
from archives.errors import ArchiveError
from archives.receipt import absolute

if TYPE_CHECKING:
    from lxml.etree import _Element


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection. No packagings: the archive does not say which it takes."""

    accepts: tuple[str, ...]
    packagings: tuple[str, ...]

    def objection(self, packaging: str | None) -> str | None:
        """Why a zip in this packaging is not taken here; None if it is."""
        if self.accepts and not {"application/zip", "*/*"} & set(self.accepts):
            return f"takes {', '.join(self.accepts)}, no application/zip"
        if packaging and self.packagings and packaging not in self.packagings:
            return f"takes the packagings {', '.join(self.packagings)}, not {packaging}; correct packaging, or the form"
        return None


def read_service(document: bytes, base: str) -> dict[str, Collection]:
    """The collections by their absolute URL. Raises ArchiveError if it is no service document."""
    try:
        root = parse(document)
    except NotAtom as error:
        raise ArchiveError(f"{base} is no service document: {error}") from error
    found = {}
    for element in root.iterdescendants("{*}collection"):
        if url := absolute(base, element.get("href")):
            found[url] = Collection(_texts(element, "accept"), _texts(element, "acceptPackaging"))
    if not found:
        raise ArchiveError(f"{base} is no service document, or has no collection that this account may use")
    return found


def _texts(collection: "_Element", name: str) -> tuple[str, ...]:
    return tuple(each.text.strip() for each in collection.iterdescendants(f"{{*}}{name}") if each.text)
