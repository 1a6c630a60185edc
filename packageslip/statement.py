"""What a signature says of a slip: a statement of its own, in a small document beside the slip.

The document is JSON; what is signed is the statement alone, in a form that every language writes alike: keys sorted, no
blanks, only ASCII. Its size is bounded before it is parsed, and whatever is in it that nobody defined is a fault.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from packageslip.attributes import digest as parse_digest
from packageslip.attributes import format_digest
from packageslip.errors import SignatureRefused, UnsafePath
from packageslip.names import check_module_url
from packageslip.times import format_time, parse_time
from packageslip.values import Digest, Packageslip

SUFFIX = ".sig"
"""What the document is called: the slip's own name and this."""
LONGEST = 6000
"""Bytes of the document: sixteen environments and sixteen signatures, and it still fits an attribute of a slip on a target."""
FORMAT = "urn:slipway:signature:1"
_PREFIX = b"urn:slipway:signature:1\n"
"""Stands before what is signed, so that a signature can never be taken for one of something else."""
_MOST = 16
_LARGEST = 2**53 - 1
"""The largest serial: what every language's JSON can hold."""
_ENVIRONMENT = re.compile(r"[A-Z0-9_]{1,40}")
_KEY_ID = re.compile(r"ed25519:[0-9a-f]{16}")
_STATEMENT = {"url", "serial", "expires", "environments", "slip", "size", "version"}


@dataclass(frozen=True, slots=True)
class Statement:
    """What is signed. `expires` in seconds since the epoch."""

    url: str
    serial: int
    """Rises with each slip of this module that is signed."""
    expires: int
    environments: tuple[str, ...]
    """Where this slip may be published; sorted."""
    slip: Digest
    """SHA-256 of the slip's document."""
    size: int
    """Bytes of the slip's document."""
    version: Digest
    """The slip's version: all its resources' paths and digests."""
    contents: Digest | None = None
    """What `contents_of` gives: everything that promotion keeps of the slip. None: whoever signed could not say."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement and who signed it: key ids, each with its 64 bytes."""

    statement: Statement
    signatures: tuple[tuple[str, bytes], ...]


def canonical(statement: Statement) -> bytes:
    """The very bytes that are signed."""
    return _PREFIX + json.dumps(_fields(statement), sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def write_signature(signed: Signed) -> bytes:
    """The document, deterministic."""
    signatures = [{"key": key, "signature": b64encode(value).decode()} for key, value in sorted(signed.signatures)]
    whole = {"format": FORMAT, "statement": _fields(signed.statement), "signatures": signatures}
    return json.dumps(whole, indent=1, ensure_ascii=True).encode("ascii") + b"\n"


def read_signature(document: bytes, name: str) -> Signed:
    """The document's values; `name` is what errors call it. Nothing is verified yet. Raises SignatureRefused (G2)."""
    try:
        if len(document) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} bytes")
        whole = json.loads(document.decode("ascii"), object_pairs_hook=_once, parse_float=_no_number, parse_constant=_no_number)
        return _signed(whole)
    except RecursionError as error:
        raise SignatureRefused(f"{name}: this is no signature: it is nested too deeply", "G2") from error
    except (ValueError, UnsafePath) as error:
        why = "it is not ASCII" if isinstance(error, UnicodeDecodeError) else str(error)
        raise SignatureRefused(f"{name}: this is no signature: {why}; sign the slip with 'slipway slip sign'", "G2") from error


def contents_of(slip: Packageslip) -> Digest:
    """One digest over all that a promotion takes from a slip: what it is, its resources and its dependents; no views, which are

    made anew, and nothing that only a target adds. SHA-256 over one line of JSON for the head and one for each resource by path.
    """
    whole = sha256()
    for line in _lines(slip):
        whole.update(json.dumps(line, separators=(",", ":"), ensure_ascii=True).encode("ascii") + b"\n")
    return whole.digest()


def _lines(slip: Packageslip) -> Iterable[list[Any]]:
    yield [
        slip.url,
        slip.uid,
        slip.revision,
        slip.module_type,
        slip.module_short_id,
        slip.department_code,
        slip.title,
        slip.state,
        slip.modified,
        slip.zip_required,
    ]
    yield [list(slip.dependents), list(slip.linked_departments)]
    for each in sorted(slip.resources, key=lambda resource: resource.path):
        digest = each.digest.hex() if each.digest else None
        about = [each.uid, each.title, each.order, each.download, each.mirror, each.href, each.modified]
        yield [each.path, each.kind.value, each.type, each.size, digest, *about]


def _fields(statement: Statement) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "url": statement.url,
        "serial": statement.serial,
        "expires": format_time(statement.expires),
        "environments": list(statement.environments),
        "slip": format_digest(statement.slip),
        "size": statement.size,
        "version": format_digest(statement.version),
    }
    return fields if statement.contents is None else fields | {"contents": format_digest(statement.contents)}


def _signed(whole: object) -> Signed:
    found = _object(whole, {"format", "statement", "signatures"}, "the document")
    if found["format"] != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    signatures = [_signature(each) for each in _list(found["signatures"], "signatures")]
    if len({key for key, _ in signatures}) < len(signatures):
        raise ValueError("one key signs twice")
    return Signed(_statement(found["statement"]), tuple(signatures))


def _statement(found: object) -> Statement:
    fields = _object(found, _STATEMENT, "the statement", {"contents"})
    url = _text(fields["url"], "url")
    check_module_url(url)
    environments = tuple(_text(each, "environments") for each in _list(fields["environments"], "environments"))
    if list(environments) != sorted(set(environments)) or not all(_ENVIRONMENT.fullmatch(each) for each in environments):
        raise ValueError("environments are not names in capitals, sorted, each once")
    contents = fields.get("contents")
    return Statement(
        url,
        _number(fields["serial"], "serial"),
        parse_time(_text(fields["expires"], "expires")),
        environments,
        parse_digest(_text(fields["slip"], "slip")),
        _number(fields["size"], "size"),
        parse_digest(_text(fields["version"], "version")),
        None if contents is None else parse_digest(_text(contents, "contents")),
    )


def _signature(found: object) -> tuple[str, bytes]:
    fields = _object(found, {"key", "signature"}, "a signature")
    key = _text(fields["key"], "key")
    if not _KEY_ID.fullmatch(key):
        raise ValueError("a key's id is not 'ed25519:' and 16 hexadecimal digits")
    try:
        value = b64decode(_text(fields["signature"], "signature"), validate=True)
    except BadBase64:
        value = b""
    if len(value) != 64:
        raise ValueError(f"the signature of {key} is not 64 bytes in base64")
    return key, value


def _object(found: object, names: set[str], what: str, more: set[str] = frozenset()) -> Mapping[str, Any]:  # type: ignore[assignment]
    if not isinstance(found, dict):
        raise ValueError(f"{what} is not a JSON object")  # noqa: TRY004 - the document is wrong, not its caller
    if unknown := sorted(found.keys() - names - more):
        raise ValueError(f"{what} holds {unknown[0][:40]!r}, which is not known")
    if missing := sorted(names - found.keys()):
        raise ValueError(f"{what} lacks {missing[0]!r}")
    return found


def _list(found: object, what: str) -> Sequence[object]:
    if not isinstance(found, list) or not 1 <= len(found) <= _MOST:
        raise ValueError(f"{what} is not a list of 1 to {_MOST}")
    return found


def _text(found: object, what: str) -> str:
    if not isinstance(found, str):
        raise ValueError(f"{what} is not a text")  # noqa: TRY004 - as above
    return found


def _number(found: object, what: str) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= _LARGEST:
        raise ValueError(f"{what} is not a whole number from 0 to {_LARGEST}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON readers differ about which of two equal keys counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no whole number")
