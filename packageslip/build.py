"""Making a slip for any folder: a site without a CMS that writes slips can be published all the same.

Left out: the slip itself and a catalogue beside it, files that it lists as views, names that begin with a dot (what editors,
version control and macOS leave behind), except `.well-known`, and every folder that has a packageslip.xml, because it is
another module. Links are refused: what they lead to is not this folder's.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from mimetypes import MimeTypes
from pathlib import Path, PurePosixPath
from typing import TypedDict, Unpack

from packageslip.errors import BadSlip, Fault, UnsafePath
from packageslip.names import SLIP_NAME, check_module_url, check_path
from packageslip.occupied import collisions
from packageslip.statement import SUFFIX
from packageslip.times import LAST
from packageslip.values import Kind, Packageslip, Resource, View

_WELL_KNOWN = ".well-known"
_INDEXES = ("index.htm", "index.html", "index.xhtml")
_TYPES = {
    **MimeTypes().types_map[True],
    # Missing in the standard library's table, or older there than what browsers expect.
    ".bz2": "application/x-bzip2",
    ".eot": "application/vnd.ms-fontobject",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".otf": "font/otf",
    ".srt": "application/x-subrip",
    ".tgz": "application/gzip",
    ".ttf": "font/ttf",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".xz": "application/x-xz",
}
_KINDS = {
    "text/html": Kind.PAGE,
    "application/xhtml+xml": Kind.PAGE,
    "text/vtt": Kind.CAPTION,
    "application/x-subrip": Kind.CAPTION,
    "application/rdf+xml": Kind.METADATA,
}
_FAMILIES = {"image": Kind.IMAGE, "audio": Kind.MEDIA, "video": Kind.MEDIA}


class Metadata(TypedDict, total=False):
    """What a slip says about its module, and no folder can know."""

    uid: str | None
    revision: str | None
    module_type: str | None
    module_short_id: str | None
    department_code: str | None
    title: str | None
    state: str | None
    modified: int | None
    zip_required: bool
    views: tuple[View, ...]
    dependents: tuple[str, ...]
    linked_departments: tuple[str, ...]


def build_slip(folder: Path, url: str, *, previous: Packageslip | None = None, **metadata: Unpack[Metadata]) -> Packageslip:
    """The slip of a folder's files, each read and hashed, as the module `url`.

    From `previous` it takes what the folder cannot tell (uid, title, type, views, a resource's title, ...), never a digest.
    A file at the path of a view is that view as it was made last, and no resource.
    Raises UnsafePath for the URL, BadSlip with every name that may not be published, OSError for what cannot be read.
    """
    check_module_url(url)
    about = previous or Packageslip(url)
    slip = replace(about, url=url, resources=(), serial=None, version=None, queue=None, signature=None, **metadata)
    slip = replace(slip, views=tuple(replace(view, size=None, digest=None) for view in slip.views))
    views = {view.path for view in slip.views}
    found = [each for each in _walk(folder, "") if each.path not in views]
    faults = [*_name_faults(found), *_collision_faults([*(each.path for each in found), *views])]
    if faults:
        raise BadSlip(str(folder), faults)
    known = {resource.path: resource for resource in about.resources}
    resources = (_resource(each, order, known.get(each.path)) for order, each in enumerate(found))
    return replace(slip, resources=tuple(resources))


_ABOUT = frozenset({SLIP_NAME, SLIP_NAME + SUFFIX, "packageslips.xml"})
"""What tells of modules, at a folder's top: it is written after the slip, which could not have its digest."""


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    file: Path
    refused: tuple[str, str] | None
    """Rule and reason, if this is no regular file."""


def _walk(folder: Path, prefix: str) -> Iterator[_Found]:
    """Files in reading order: index pages first, then the other files, then the folders, each by name."""
    with os.scandir(folder) as scan:
        entries = sorted((entry for entry in scan if _counts(entry, prefix)), key=_reading_order)
    for entry in entries:
        path = prefix + entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield _Found(path, Path(entry.path), _refusal(entry))
        elif not Path(entry.path, SLIP_NAME).exists():
            yield from _walk(Path(entry.path), path + "/")


def _counts(entry: os.DirEntry[str], prefix: str) -> bool:
    if entry.name.startswith("."):
        return entry.name == _WELL_KNOWN
    return bool(prefix) or entry.name not in _ABOUT


def _reading_order(entry: os.DirEntry[str]) -> tuple[bool, int, str]:
    folder = entry.is_dir(follow_symlinks=False)
    rank = _INDEXES.index(entry.name) if entry.name in _INDEXES else len(_INDEXES)
    return folder, rank, entry.name


def _refusal(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    if entry.is_symlink():
        return "N19", "is a link; put the file itself there"
    if not entry.is_file():
        return "N20", "is neither a file nor a folder"
    return None


def _name_faults(found: Iterable[_Found]) -> Iterator[Fault]:
    for each in found:
        if each.refused:
            yield Fault(0, each.refused[0], f"{each.path!r} {each.refused[1]}")
        try:
            check_path(each.path)
        except UnsafePath as error:
            yield Fault(0, error.rule, f"{each.path!r} cannot be published: {error.why}; rename it")


def _collision_faults(paths: Sequence[str]) -> Iterator[Fault]:
    for earlier, later in collisions(paths):
        yield Fault(0, "N10", f"{later!r} and {earlier!r} cannot both be published: they are one name on many systems")


def _resource(found: _Found, order: int, known: Resource | None) -> Resource:
    with found.file.open("rb") as stream:
        digest = file_digest(stream, "sha256").digest()
        size, stat = stream.tell(), os.fstat(stream.fileno())
    if size != stat.st_size:
        raise BadSlip(str(found.file), [Fault(0, "S9", f"{found.path!r} changed while it was read; build the slip again")])
    kind, media_type = _kind_and_type(found.path)
    fresh = Resource(found.path, kind, media_type, size, digest, min(max(int(stat.st_mtime), 0), LAST), order=order)
    if known is None:
        return fresh
    return replace(known, size=size, digest=digest, modified=fresh.modified, order=order, etag=None, href=None)


def _kind_and_type(path: str) -> tuple[Kind, str]:
    name = PurePosixPath(path)
    media_type = _TYPES.get(name.suffix.lower(), "application/octet-stream")
    if name.name == "imsmanifest.xml":
        return Kind.METADATA, media_type
    return _KINDS.get(media_type) or _FAMILIES.get(media_type.partition("/")[0], Kind.FILE), media_type
