"""Reading a catalogue: the modules of a source, one element each."""

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

from packageslip import attributes
from packageslip.document import Element, Faults, Unreadable, chunks
from packageslip.elements import known, local, read_attributes, require_root
from packageslip.errors import BadSlip
from packageslip.values import CatalogueEntry, Limits


def read_catalogue(stream: BinaryIO | bytes, name: str, limits: Limits = Limits()) -> Iterator[CatalogueEntry]:  # noqa: B008 - frozen
    """Every module of a catalogue, in its order. Raises BadSlip with every fault before the first one is given:

    a catalogue that was cut short must not pass for that of a small site.
    """
    faults = Faults()
    entries: dict[str, CatalogueEntry] = {}
    with suppress(Unreadable):
        _read(chunks(BytesIO(stream) if isinstance(stream, bytes) else stream, limits, faults), limits, faults, entries)
    if faults.found:
        raise BadSlip(name, faults.sorted())
    return iter(entries.values())


def _read(pieces: Iterator[bytes], limits: Limits, faults: Faults, entries: dict[str, CatalogueEntry]) -> None:
    from packageslip.parsing import elements  # noqa: PLC0415 - as in reader.py

    count, counted, line = 0, 0, 0
    for element in elements(pieces, limits, faults):
        if element.depth == 1:
            require_root(element, "packageslips", faults)
            declared, line = read_attributes(element, attributes.CATALOGUE, faults, limits), element.line
            count = declared.get("count", -1)
        else:
            counted += element.depth == 2
            _take(element, limits, faults, entries)
    if count not in {counted, -1}:
        faults.add(line, "X10", f"count is {count}, but {counted} modules follow")


def _take(element: Element, limits: Limits, faults: Faults, entries: dict[str, CatalogueEntry]) -> None:
    if element.depth > 2:
        faults.add(element.line, "X5", f"<{local(element.tag)}> stands inside an element that holds none")
        return
    if not known(element, ("module",), faults):
        return
    values = read_attributes(element, attributes.ENTRY, faults, limits)
    if "url" not in values:
        return
    if values["url"] in entries:
        faults.add(element.line, "N14", f"the module {values['url']!r} is listed twice")
    entries[values["url"]] = CatalogueEntry(**values)
    if len(entries) > limits.resources:
        faults.end(element.line, "X4", f"there are more than {limits.resources} modules")
