"""The documents of the fake SWORD archive: service document, receipts, feeds and error documents of both versions."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from support.sword_archive import Item

TERMS = {"v1": "http://purl.org/net/sword/", "v2": "http://purl.org/net/sword/terms/"}
_LINKS = ("edit", "edit-media", "http://purl.org/net/sword/terms/add")
"""What a receipt of version 2.0 must have (section 10 of the profile); here all are one address."""
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_WHEN = "<updated>2026-01-01T00:00:00Z</updated>"


def service(version: str, base: str, packagings: Iterable[str], collections: Iterable[str]) -> str:
    """What can be deposited where."""
    place = f"{base}/v1/deposit" if version == "v1" else f"{base}/v2/collection"
    accepted = "".join(f"<sword:acceptPackaging>{escape(uri)}</sword:acceptPackaging>" for uri in sorted(packagings))
    listed = "".join(
        f'<collection href="{place}/{name}"><atom:title>{name}</atom:title><accept>application/zip</accept>'
        f"<sword:mediation>true</sword:mediation>{accepted}</collection>"
        for name in collections
    )
    return (
        f'{_DECLARATION}<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" '
        f'xmlns:sword="{TERMS[version]}"><sword:version>{"1.3" if version == "v1" else "2.0"}</sword:version>'
        f"<workspace><atom:title>Fake</atom:title>{listed}</workspace></service>"
    )


def feed(path: str, items: list[Item], base: str, size: int, page: int) -> str:
    """One page of a feed."""
    more = f'<link rel="next" href="{path}?page={page + 1}"/>' if (page + 1) * size < len(items) else ""
    entries = "".join(entry(item, "v2", base) for item in items[page * size : (page + 1) * size])
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Items</title><id>{base}{path}</id>{_WHEN}'
        f'<link rel="self" href="{base}{path}"/>{more}{entries}</feed>'
    )


def entry(item: Item, version: str, base: str) -> str:
    """A deposit receipt, or an entry of a feed."""
    handle = f"http://hdl.handle.net/{item.handle}"
    identifiers = "".join(f"<dcterms:identifier>{escape(text)}</dcterms:identifier>" for text in item.identifiers)
    splash = f'<link rel="alternate" href="{handle}"/>' if item.handle else ""
    edit = "".join(f'<link rel="{rel}" href="{base}/v2/edit/{item.number}"/>' for rel in _LINKS) if version == "v2" else ""
    return (
        f'<entry xmlns="http://www.w3.org/2005/Atom" xmlns:sword="{TERMS[version]}" xmlns:dcterms="http://purl.org/dc/terms/">'
        f"<title>{escape(item.filename)}</title><id>{handle if item.handle else base}</id>{_WHEN}{edit}{splash}{identifiers}"
        f'<content type="application/zip" src="{base}/bitstream/{item.number}/{item.filename}"/>'
        f"<sword:treatment>kept</sword:treatment></entry>"
    )


def error(version: str, kind: str, summary: str) -> str:
    """An error document."""
    uri = f"http://purl.org/net/sword/error/{kind}" if kind else ""
    return (
        f'{_DECLARATION}<sword:error xmlns="http://www.w3.org/2005/Atom" xmlns:sword="{TERMS[version]}" href={quoteattr(uri)}>'
        f"<title>ERROR</title>{_WHEN}<summary>{escape(summary)}</summary>"
        f"<sword:treatment>refused</sword:treatment></sword:error>"
    )
