"""What an archive says of a deposit: where the item is, and its handle."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from archives.atom import Entry, NotAtom, read_entry

_ASCII = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Receipt:
    """The archive has the item. `handle` is None as long as it has none, as in an archive where people review deposits."""

    location: str | None
    """The item's address at the archive, absolute: the edit address, where `Sword.read` finds a newer receipt."""
    handle: str | None
    """Without scheme, such as 1721.1/77167."""
    document: bytes
    """The receipt as it came; empty if there was none."""


def read_receipt(document: bytes, base: str, location: str | None, handle: str) -> Receipt:
    """The receipt in an answer. `base`: the URL that was asked; `location`: the answer's Location; `handle`: the pattern.

    An answer without an entry is still a receipt, for its status said that the item was made.
    """
    place = absolute(base, location)
    try:
        return receipt_of(read_entry(document), base, place, handle, document)
    except NotAtom:
        return Receipt(place, find_handle([place or ""], handle), document)


def receipt_of(entry: Entry, base: str, location: str | None, handle: str, document: bytes) -> Receipt:
    """The receipt that an entry amounts to."""
    place = location or absolute(base, entry.link("edit"))
    return Receipt(place, find_handle([*entry.names(), place or ""], handle), document)


def absolute(base: str, reference: str | None) -> str | None:
    """The URL that an archive means, in ASCII; None for what is none: an address that nobody can read is no reason to fail."""
    try:
        return quote(urljoin(base, reference), safe=_ASCII) if reference else None
    except ValueError:
        return None


def find_handle(names: list[str], pattern: str) -> str | None:
    """The handle in the first of these names that is one."""
    found = (re.fullmatch(pattern, name) for name in names)
    return next((match[1] for match in found if match), None)
