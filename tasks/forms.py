"""Whether an answer is what it should be: well-formed XML or JSON, and not empty. Pure."""

import json
from collections.abc import Callable
from typing import Any

from tasks.errors import Malformed

MOST = 64 * 1024 * 1024
"""Bytes of a feed or list: it is held in memory while it is checked."""


def check_form(form: str, content: bytes, where: str) -> None:
    """Raise Malformed unless `content` has the form: "xml", "json", or "any" (not empty)."""
    if not content.strip():
        raise Malformed(f"{where} answered with nothing; what is live stays")
    readers: dict[str, Callable[[bytes, str], object]] = {"xml": read_xml, "json": read_json}
    if form in readers:
        readers[form](content, where)


def read_json(content: bytes, where: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value. Raises Malformed."""
    try:
        return json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{where} is not well-formed JSON: {error}; what is live stays") from error


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number in JSON")


def read_xml(content: bytes, where: str) -> Any:  # noqa: ANN401 - lxml's element, which only its users import
    """The root element. Entities are neither declared nor expanded, nothing outside is read. Raises Malformed."""
    from lxml import etree  # noqa: PLC0415 - only these tasks need it

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Malformed(f"{where} is not well-formed XML: {error.msg}; what is live stays") from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise Malformed(f"{where} declares entities of its own, which no feed needs and an attack does; what is live stays")
    if etree.QName(root).localname.lower() == "html":
        raise Malformed(f"{where} is an HTML page, perhaps for logging in; what is live stays")
    return root
