"""The Atom documents of an archive: entries, feeds and error documents, read as values.

Whatever an archive sends is read without entities, external documents or network. Namespaces differ between archives and
versions of SWORD, so elements are known by their local names: an `id` is an Atom id, an `identifier` a Dublin Core one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_OWN = frozenset({"title", "summary", "updated", "published", "rights", "treatment", "verboseDescription", "generator", "name"})
"""Elements with words for people: an identifier in one of them is a mention, not a name."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where something of an entry is: an alternate page, the edit address, the content's source."""

    rel: str
    href: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One item as the archive describes it."""

    id: str | None
    identifiers: tuple[str, ...]
    """Every text that can name the item, in the document's order: identifiers, sources, categories."""
    links: tuple[Link, ...]

    def link(self, rel: str) -> str | None:
        """The first link with this relation."""
        return next((link.href for link in self.links if link.rel == rel), None)

    def names(self) -> Iterator[str]:
        """Everything that may be the item's name: its id, its identifiers, its links."""
        if self.id:
            yield self.id
        yield from self.identifiers
        yield from (link.href for link in self.links)


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of a feed, and the address of the next."""

    entries: tuple[Entry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class ErrorDocument:
    """What a SWORD error document says: its URI, such as http://purl.org/net/sword/error/ErrorContent, and its sentence."""

    uri: str
    summary: str


class NotAtom(Exception):
    """The document is not the one that was expected; the message says what it is instead."""


def read_entry(document: bytes) -> Entry:
    """The entry of a deposit receipt. Raises NotAtom."""
    return _entry(_root(document, "entry"))


def read_feed(document: bytes) -> Feed:
    """One page of a collection's or a search's feed. A single entry is a feed of one. Raises NotAtom."""
    root = _root(document, "feed", "entry")
    if _local(root) == "entry":
        return Feed((_entry(root),), None)
    following = next((link.href for link in _links(root) if link.rel == "next"), None)
    return Feed(tuple(_entry(child) for child in root if _local(child) == "entry"), following)


def read_error(document: bytes) -> ErrorDocument | None:
    """What an error document says; None if it is none."""
    try:
        root = _root(document, "error")
    except NotAtom:
        return None
    words = next((child.text for child in root if _local(child) == "summary" and child.text), "")
    return ErrorDocument(root.get("href") or "", " ".join(words.split()))


def parse(document: bytes) -> "_Element":
    """The root of a document from outside. Raises NotAtom, also for any DOCTYPE: nothing in it is ever expanded or loaded."""
    from lxml import etree  # noqa: PLC0415 - only what speaks with an archive needs it

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotAtom(f"it is no XML document: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotAtom("it has a DOCTYPE, as a web page has")
    return root


def _root(document: bytes, *expected: str) -> "_Element":
    root = parse(document)
    if _local(root) not in expected:
        raise NotAtom(f"its root is <{_local(root)}>, not <{expected[0]}>")
    return root


def _entry(element: "_Element") -> Entry:
    ids = [child.text.strip() for child in element if _local(child) == "id" and child.text]
    return Entry(ids[0] if ids else None, tuple(_identifiers(element)), tuple(_links(element)))


def _identifiers(element: "_Element") -> Iterator[str]:
    for child in element.iterdescendants("*"):
        if _local(child) in _OWN:
            continue
        if child.text and (text := child.text.strip()):
            yield text
        if _local(child) == "category" and (term := child.get("term")):
            yield term


def _links(element: "_Element") -> Iterator[Link]:
    for child in element:
        if _local(child) == "link" and (href := child.get("href")):
            yield Link(child.get("rel") or "alternate", href)
        elif _local(child) == "content" and (source := child.get("src")):
            yield Link("content", source)


def _local(element: "_Element") -> str:
    return str(element.tag).rpartition("}")[2]
