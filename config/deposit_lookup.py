"""Reading a DepositURILookup.xml: which department or type of module is deposited where.

The form of that file was never written down. What is read is any element that has one address and a name for it, be they
attributes, texts, or the texts of its children: `<entry key="18">https://...</entry>`, `<deposit department="18" uri="https://..."/>`,
`<map><department>18</department><depositURI>https://...</depositURI></map>`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from lxml import etree

_HANDLE = re.compile(r"\d+(?:\.\d+)*/\S+")
"""A collection by its handle alone, such as 1721.1/33971; the endpoint's URL goes before it."""
_DEFAULTS = frozenset({"default", "*", "other", "others"})


class BadLookup(Exception):
    """The file cannot be read; the message says why."""


def read_lookup(path: Path, endpoint: str) -> dict[str, str]:
    """Name (a department's code, a module type, or `default`) to the collection's deposit URL. Raises BadLookup."""
    try:
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (OSError, ValueError) as error:
        raise BadLookup(f"it cannot be read ({error.strerror if isinstance(error, OSError) else error})") from error
    except etree.XMLSyntaxError as error:
        raise BadLookup(f"it is no XML (line {error.lineno})") from error
    found: dict[str, str] = {}
    for element in (root, *root.iterdescendants("*")):
        for name, address in _pair(element, endpoint):
            found.setdefault("default" if name.lower() in _DEFAULTS else name, address)
    if not found:
        raise BadLookup("no name with an address was found in it")
    return found


def _pair(element: etree._Element, endpoint: str) -> Iterator[tuple[str, str]]:
    words = list(_words(element))
    addresses = [address for word in words if (address := _address(word, endpoint))]
    names = [word for word in words if not _address(word, endpoint)]
    if len(addresses) == 1 and names:
        yield names[0], addresses[0]


def _words(element: etree._Element) -> Iterator[str]:
    """The texts that belong to an element: its attributes, its own text, and those of children that are texts alone."""
    texts: list[str | None] = [value for _, value in element.items()]
    texts.append(element.text)
    texts += [child.text for child in element if not len(child) and not child.items()]
    yield from (text.strip() for text in texts if text and text.strip())


def _address(word: str, endpoint: str) -> str | None:
    if word.startswith(("http://", "https://")):
        return word
    return urljoin(endpoint.rstrip("/") + "/", word) if endpoint and _HANDLE.fullmatch(word) else None
