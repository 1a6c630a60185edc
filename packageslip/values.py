"""The values of a packageslip: what a module consists of.

Digests are the 32 raw bytes of a SHA-256, never text: a slip may have a million of them. Times are whole seconds since
the epoch (UTC), for the same reason; `times.py` turns them into RFC 3339 and back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

Digest = bytes
"""A SHA-256, 32 bytes."""


class Kind(StrEnum):
    """What a resource is to its module."""

    PAGE = "page"
    FILE = "file"
    IMAGE = "image"
    MEDIA = "media"
    CAPTION = "caption"
    TRANSCRIPT = "transcript"
    METADATA = "metadata"


class ViewKind(StrEnum):
    """The two kinds of view, each an element name."""

    JSON = "json"
    FEED = "feed"


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of a module. `size`, `digest` and `modified` may be unknown in a slip that a CMS wrote."""

    path: str
    kind: Kind = Kind.FILE
    type: str = "application/octet-stream"
    size: int | None = None
    digest: Digest | None = None
    modified: int | None = None
    """Seconds since the epoch; becomes the file's modification time on a target, and a validator."""
    etag: str | None = None
    """The validator that the source gave with the bytes; recorded on targets."""
    href: str | None = None
    """Where the source has the bytes, if not at the module's URL + path. Relative to the module, or a path on the same origin."""
    uid: str | None = None
    title: str | None = None
    order: int | None = None
    download: bool = True
    mirror: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """A feed or JSON file that the CMS makes anew on each request. On a target it has size and digest."""

    path: str
    kind: ViewKind
    href: str | None = None
    size: int | None = None
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """A file that the module no longer has and that stays on its target for a while: for visitors with an older page."""

    path: str
    size: int
    digest: Digest
    since: int
    """Seconds since the epoch by the queue's clock: a moment at which the release that left it out was surely visible."""
    page: bool = False
    """Whether it was a page, which goes before what it uses."""

    def until(self, grace: int) -> int:
        """When it may go, after so many seconds of grace."""
        return self.since + grace


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Packageslip:
    """The manifest of one module. `resources` are in the document's order; on targets sorted by path."""

    url: str
    resources: tuple[Resource, ...] = ()
    views: tuple[View, ...] = ()
    dependents: tuple[str, ...] = ()
    linked_departments: tuple[str, ...] = ()
    uid: str | None = None
    revision: str | None = None
    module_type: str | None = None
    module_short_id: str | None = None
    department_code: str | None = None
    title: str | None = None
    state: str | None = None
    modified: int | None = None
    zip_required: bool = False
    serial: int | None = None
    """Only on a target: the fence of the publishing task's first claim."""
    version: Digest | None = None
    """Only on a target: the version that these resources have."""
    queue: str | None = None
    """Only on a target: the id of the queue whose task published it."""
    stale: tuple[Stale, ...] = ()
    """Only on a target: files that are no part of the module any more, and still ours, sorted by path."""
    signature: bytes | None = None
    """The signature document that came with it from its source, as it is; whether it is good is for `trust` to say."""

    @property
    def is_file(self) -> bool:
        """Whether the module is a single file, at its own URL."""
        return len(self.resources) == 1 and self.resources[0].path == "."

    def files(self) -> Iterator[Resource | View]:
        """Everything that occupies a path on a target: resources, then views."""
        yield from self.resources
        yield from self.views

    def ours(self) -> Iterator[Resource | View | Stale]:
        """Everything of ours that lies on a target: the module's files, then those that are stale."""
        yield from self.files()
        yield from self.stale


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One module as a source or a target lists it."""

    url: str
    module_type: str | None = None
    state: str | None = None
    revision: str | None = None
    version: Digest | None = None
    """Known where the list is read from commit records."""
    serial: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts before it gives up: bytes and depth of the document, resources, characters of one attribute."""

    bytes: int = 256 * 1024 * 1024
    resources: int = 1_000_000
    depth: int = 32
    attribute: int = 8 * 1024
