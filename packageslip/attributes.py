"""The vocabulary of slips and catalogues: each element's attributes, how to read and how to write them.

Reader and writer use the same tables, in this order, so that they cannot disagree. A parser raises ValueError with a
sentence that begins with the value, or UnsafePath.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from packageslip.names import check_href, check_module_url, check_path
from packageslip.times import format_time, parse_time
from packageslip.values import Digest, Kind

NAMESPACE = "urn:slipway:packageslip:1"

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MEDIA_TYPE = re.compile(r"[!-.0-~]+/[!-.0-~]+( ?;[ -~]*)?")
_LONGEST_NUMBER = 18
"""Digits; fits 64 bits with a sign everywhere."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an element: the field of the value, and both directions."""

    field: str
    parse: Callable[[str], Any]
    format: Callable[[Any], str | None] = str
    """None: left out, because the value is the default."""
    required: bool = False

    @property
    def free(self) -> bool:
        """Whether it is text as it came, which may hold anything; what a formatter of ours made needs no escapes."""
        return self.format is str and self.parse is not number


class Table(dict[str, Attribute]):
    """The attributes of one element by name, in the order in which they are written."""

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        super().__init__(attributes)
        self.parsers = {name: (attribute.field, attribute.parse) for name, attribute in attributes.items()}
        """The field and the parser of each name: all that a reader asks for, two million times in a large slip."""
        self.required = tuple(name for name, attribute in attributes.items() if attribute.required)
        self.writers = tuple(
            (attribute.field, f' {name}="', attribute.format, attribute.free) for name, attribute in attributes.items()
        )
        """The same for a writer: the field, what comes before the value, its formatter, and whether it may need escapes."""


def text(value: str) -> str:
    """Text on one line: it may end up in a header, a log or a terminal."""
    if not value.isprintable() and _CONTROLS.search(value):
        raise ValueError(f"{value!r} contains a control character")
    return value


def number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER):
        raise ValueError(f"{value!r} is not a whole number from 0 on, of at most {_LONGEST_NUMBER} digits")
    return int(value)


def flag(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError(f"{value!r} is neither 'true' nor 'false'")
    return value == "true"


def digest(value: str) -> Digest:
    begin, digits = value[:7], value[7:]
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    # Written back it must be the same: this is cheaper than a pattern, and fromhex takes blanks and capitals.
    if len(found) != 32 or begin != "sha256:" or found.hex() != digits:
        raise ValueError(f"{value!r} is not 'sha256:' and 64 hexadecimal digits in lower case")
    return found


def format_digest(value: Digest) -> str:
    return f"sha256:{value.hex()}"


def embedded(value: str) -> bytes:
    """A small document inside an attribute."""
    try:
        found = b64decode(value, validate=True)
    except BadBase64:
        found = b""
    if not found or format_embedded(found) != value:
        raise ValueError("the value is not base64")
    return found


def format_embedded(value: bytes) -> str:
    return b64encode(value).decode()


@lru_cache(maxsize=256)
def media_type(value: str) -> str:
    if not _MEDIA_TYPE.fullmatch(value):
        raise ValueError(f"{value!r} is not a media type like text/html")
    return value


_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}


def kind(value: str) -> Kind:
    if value not in _KINDS:
        raise ValueError(f"{value!r} is not one of {', '.join(_KINDS)}")
    return _KINDS[value]


def path(value: str) -> str:
    check_path(value)
    return value


def href(value: str) -> str:
    check_href(value)
    return value


def module_url(value: str) -> str:
    check_module_url(value)
    return value


def _unless_true(value: object) -> str | None:
    return None if value else "false"


def _if_true(value: object) -> str | None:
    return "true" if value else None


SLIP = Table(
    {
        "url": Attribute("url", module_url, required=True),
        "uid": Attribute("uid", text),
        "revision": Attribute("revision", text),
        "module-type": Attribute("module_type", text),
        "module-short-id": Attribute("module_short_id", text),
        "department-code": Attribute("department_code", text),
        "title": Attribute("title", str),
        "state": Attribute("state", text),
        "modified": Attribute("modified", parse_time, format_time),
        "zip-required": Attribute("zip_required", flag, _if_true),
        "serial": Attribute("serial", number),
        "version": Attribute("version", digest, format_digest),
        "queue": Attribute("queue", text),
        "signature": Attribute("signature", embedded, format_embedded),
    }
)
RESOURCES = Table(
    {
        "count": Attribute("count", number, required=True),
        "size": Attribute("size", number),
    }
)
RESOURCE = Table(
    {
        "path": Attribute("path", path, required=True),
        "kind": Attribute("kind", kind),
        "type": Attribute("type", media_type),
        "uid": Attribute("uid", text),
        "title": Attribute("title", str),
        "order": Attribute("order", number),
        "size": Attribute("size", number),
        "digest": Attribute("digest", digest, format_digest),
        "modified": Attribute("modified", parse_time, format_time),
        "etag": Attribute("etag", text),
        "href": Attribute("href", href),
        "download": Attribute("download", flag, _unless_true),
        "mirror": Attribute("mirror", flag, _unless_true),
    }
)
VIEW = Table(
    {
        "path": Attribute("path", path, required=True),
        "href": Attribute("href", href),
        "size": Attribute("size", number),
        "digest": Attribute("digest", digest, format_digest),
    }
)
STALES = Table({"count": Attribute("count", number, required=True)})
STALE = Table(
    {
        "path": Attribute("path", path, required=True),
        "size": Attribute("size", number, required=True),
        "digest": Attribute("digest", digest, format_digest, required=True),
        "since": Attribute("since", parse_time, format_time, required=True),
        "page": Attribute("page", flag, _if_true),
    }
)
DEPENDENT = Table({"url": Attribute("url", module_url, required=True)})
DEPARTMENT = Table({"id": Attribute("id", text, required=True)})
CATALOGUE = Table({"count": Attribute("count", number, required=True)})
ENTRY = Table(
    {
        "url": Attribute("url", module_url, required=True),
        "module-type": Attribute("module_type", text),
        "state": Attribute("state", text),
        "revision": Attribute("revision", text),
        "version": Attribute("version", digest, format_digest),
        "serial": Attribute("serial", number),
    }
)
NONE = Table({})
"""Of the elements that only hold others."""
