"""What an archive says of a deposit: where the item is, and its handle."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from archives.atom import Entry, NotAtom, read_entry


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
    place = urljoin(base, location) if location else None
    try:
        return receipt_of(read_entry(document), base, place, handle, document)
    except NotAtom:
        return Receipt(place, find_handle([place or ""], handle), document)


def receipt_of(entry: Entry, base: str, location: str | None, handle: str, document: bytes) -> Receipt:
    """The receipt that an entry amounts to."""
    edit = entry.link("edit")
    place = location or (urljoin(base, edit) if edit else None)
    return Receipt(place, find_handle([*entry.names(), place or ""], handle), document)


def find_handle(names: list[str], pattern: str) -> str | None:
    """The handle in the first of these names that is one."""
    found = (re.fullmatch(pattern, name) for name in names)
    return next((match[1] for match in found if match), None)
