"""A file of the small course, and fetching it from a CMS at fault."""

from collections.abc import Callable

from packageslip import Resource, View
from sources import (
    Fetched,
    Want,
)
from sources.http import HttpSource
from store import Store
from support.physics import FILES, SLIP, resource

OpenHttp = Callable[..., HttpSource]

PDF = "lecture-notes/l1.pdf"
LISTED = resource(PDF, FILES[PDF])
UNLISTED = Resource(PDF)
"""The same file in a slip without size and digest."""


def fetch(source: HttpSource, store: Store, *files: Resource | View) -> list[Fetched]:
    return list(source.fetch(SLIP, [Want(file) for file in files], store))


def assert_nothing_is_left(store: Store) -> None:
    incoming = store.root / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())
