"""The files of a package that is a tree of pages, as an archive unpacks it: the same ones as in a course package.

Pages and style sheets have their links changed, so their sizes and checksums are those of the package; everything else has
those of the slip, and is not read before it is written.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from archives.content import Content, Form, time_of
from archives.errors import PackageError
from archives.layout import Entry, Layout, lay_out, opened, reading_order, text_of
from archives.naming import package_name
from config import PackageSettings


@dataclass(frozen=True, slots=True)
class File:
    """One file of the package."""

    path: str
    """Below the package's top folder, which is its first part."""
    entry: Entry
    size: int
    sha256: bytes
    is_metadata: bool
    """Whether it describes another file."""


@dataclass(frozen=True)
class Tree:
    """A package's files in the order of reading, the page to begin with first, metadata last."""

    content: Content
    layout: Layout
    files: tuple[File, ...]

    @property
    def home(self) -> File:
        return self.files[0]

    def open(self, file: File) -> BinaryIO:
        """The file's bytes, as they are in the package."""
        text = None if file.is_metadata else text_of(file.entry, self.content, self.layout.places)
        return opened(file.entry, self.content) if text is None else BytesIO(text)

    def modified(self, file: File) -> int:
        """Seconds since the epoch."""
        own = file.entry.resource.modified
        return time_of(self.content) if own is None else own


def grow(form: Form, content: Content, options: PackageSettings, *, media: bool) -> Tree:
    """Decide which files go in, and what they are. Raises PackageError if there are none."""
    layout = lay_out(content, form, options, media=media)
    home = layout.home
    if home is None:
        raise PackageError(f"{content.slip.url} has nothing to pack: packages.include names no kind of resource that it has")
    top = package_name(content.slip, options)
    return Tree(content, layout, tuple(_files(content, layout, home, top)))


def _files(content: Content, layout: Layout, home: Entry, top: str) -> Iterator[File]:
    rest = sorted((entry for entry in layout.contents if entry is not home), key=reading_order)
    for entry in (home, *rest, *layout.common):
        text = text_of(entry, content, layout.places)
        if text is None:
            yield _stored(entry, top, is_metadata=False)
        else:
            yield File(f"{top}/{entry.path}", entry, len(text), hashlib.sha256(text).digest(), is_metadata=False)
    for _, entry in sorted(layout.sidecars.items()):
        yield _stored(entry, top, is_metadata=True)


def _stored(entry: Entry, top: str, *, is_metadata: bool) -> File:
    resource = entry.resource
    assert resource.size is not None, f"{entry.url} has no size"
    assert resource.digest is not None, f"{entry.url} has no digest"
    return File(f"{top}/{entry.path}", entry, resource.size, resource.digest, is_metadata)
