"""Writing slips and catalogues: deterministic, one file a line, in UTF-8.

The same value always gives the same bytes, so that slips can be compared and kept by their digest.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from packageslip import attributes
from packageslip.attributes import NAMESPACE, Table
from packageslip.listing import KEPT, Listing
from packageslip.values import CatalogueEntry, Packageslip

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_ESCAPED = re.compile(r'[&<>"\t\n\r]')
# What no XML document can hold, however it is written.
_IMPOSSIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Either: few values have any, and one look is half as dear as two.
_SPECIAL = re.compile(f"{_ESCAPED.pattern}|{_IMPOSSIBLE.pattern}")


def write_slip(slip: Packageslip) -> bytes:
    """The document of a slip. Raises ValueError for text that XML cannot hold (a control character)."""
    stream = BytesIO()
    write_slip_to(slip, stream)
    return stream.getvalue()


def write_slip_to(slip: Packageslip, stream: BinaryIO) -> None:
    """Write the document line by line; raises ValueError like `write_slip`."""
    stream.writelines(slip_pieces(slip))


def slip_pieces(slip: Packageslip) -> Iterator[bytes]:
    """The document piece by piece, each made when it is asked for; raises ValueError like `write_slip`."""
    begin, lines, end = _parts(slip)
    yield begin.encode()
    yield from lines
    yield from (line.encode() for line in end)


def write_catalogue(entries: Iterable[CatalogueEntry], stream: BinaryIO) -> None:
    """Write a catalogue of modules, in the order given."""
    listed = tuple(entries)
    stream.write(f'{_HEAD}<packageslips xmlns="{NAMESPACE}" count="{len(listed)}">\n'.encode())
    stream.writelines(f"  <module{_written(entry, attributes.ENTRY)}/>\n".encode() for entry in listed)
    stream.write(b"</packageslips>\n")


def _parts(slip: Packageslip) -> tuple[str, Iterable[bytes], Iterator[str]]:
    begin = f'{_HEAD}<packageslip xmlns="{NAMESPACE}"{_written(slip, attributes.SLIP)}>\n'
    return f'{begin}  <resources count="{len(slip.resources)}"{_total(slip)}>\n', _resources(slip), _rest(slip)


def _resources(slip: Packageslip) -> Iterable[bytes]:
    """Their lines; those of a large slip are made once, although each document of it begins differently."""
    listed = slip.resources
    made = (f"    <resource{_written(resource, attributes.RESOURCE)}/>\n".encode() for resource in listed)
    if not isinstance(listed, Listing) or len(listed) > KEPT:
        return made
    if listed.lines is None:
        listed.lines = b"".join(made)
    return (listed.lines,)


def _rest(slip: Packageslip) -> Iterator[str]:
    yield "  </resources>\n"
    views = (f"<{view.kind}{_written(view, attributes.VIEW)}/>" for view in slip.views)
    yield from _section("views", views)
    yield from _section("dependent-modules", (f'<module url="{_escaped(url)}"/>' for url in slip.dependents))
    yield from _section("linked-departments", (f'<department id="{_escaped(code)}"/>' for code in slip.linked_departments))
    stale = (f"<file{_written(file, attributes.STALE)}/>" for file in slip.stale)
    yield from _section("stale", stale, f' count="{len(slip.stale)}"')
    yield "</packageslip>\n"


def _section(name: str, elements: Iterable[str], counted: str = "") -> Iterator[str]:
    """A section, left out where it would be empty."""
    opened = False
    for element in elements:
        if not opened:
            yield f"  <{name}{counted}>\n"
            opened = True
        yield f"    {element}\n"
    if opened:
        yield f"  </{name}>\n"


def _total(slip: Packageslip) -> str:
    """The sum of all sizes, if all are known: what a reader can check."""
    sizes = [resource.size for resource in slip.resources if resource.size is not None]
    return f' size="{sum(sizes)}"' if len(sizes) == len(slip.resources) else ""


def _written(value: object, table: Table) -> str:
    written = ""
    for field, begin, format_it, free in table.writers:
        found = getattr(value, field)
        if found is not None and (formatted := format_it(found)) is not None:
            written += f'{begin}{_escaped(formatted) if free else formatted}"'
    return written


def _escaped(value: str) -> str:
    if not _SPECIAL.search(value):
        return value
    if impossible := _IMPOSSIBLE.search(value):
        raise ValueError(f"XML cannot hold the character U+{ord(impossible[0]):04X} of {value!r}")
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)
