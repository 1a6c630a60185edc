"""What a package is made of: a module's slip, its bytes, and the shared assets that its pages use."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from config import PackageSettings
from packageslip import Digest, Kind, Packageslip, Resource


class Form(StrEnum):
    """The forms of a package; the values are those of `--form` and of a holding area's `form`."""

    DOWNLOAD = "download"
    IMSCP = "imscp"
    METS = "mets"
    SAF = "saf"
    BAGIT = "bagit"


@dataclass(frozen=True, slots=True)
class Content:
    """What a package is made of. Every resource of the slips has digest and size."""

    slip: Packageslip
    open: Callable[[Digest], BinaryIO]
    """The bytes of any file below, from the store: a file that can seek, at its start; the caller closes it."""
    shared: tuple[Packageslip, ...] = ()
    """Modules with shared assets; they lie under common/ in packages with a tree of pages."""
    identifier: str | None = None
    """What a deposit of this package is called: among the item's identifiers in archive forms, so that it can be found again."""


# What slips call plain files, or bytes, and is video or audio all the same.
_MEDIA_ENDINGS = (
    *(".3gp", ".aac", ".aif", ".aiff", ".asf", ".avi", ".flac", ".flv", ".m4a", ".m4v", ".mkv", ".mov", ".mp3", ".mp4"),
    *(".mpeg", ".mpg", ".oga", ".ogg", ".ogv", ".ra", ".ram", ".rm", ".wav", ".webm", ".wma", ".wmv"),
)


def packaged(slip: Packageslip, form: Form, options: PackageSettings, *, media: bool = False) -> list[Resource]:
    """Which resources go into a package, by path.

    Video and audio only with `media`, whatever their slip calls them. A sidecar (kind metadata, `<path>.xml` beside `<path>`)
    goes with its resource, into archive forms only. What a slip keeps out of downloads is kept out of that form alone.
    """
    kinds = frozenset(options.include)
    chosen = {each.path: each for each in slip.resources if _is_in(each, form, kinds, media=media)}
    owners = sidecars(slip)
    for path, owner in owners.items():
        if form is Form.DOWNLOAD or owner not in chosen:
            chosen.pop(path, None)
    return [chosen[path] for path in sorted(chosen)]


def sidecars(slip: Packageslip) -> dict[str, str]:
    """The path of each metadata file that stands beside what it describes, and the path of that. What describes one is none."""
    paths = {each.path for each in slip.resources}
    found = {}
    for each in slip.resources:
        owner = each.path.removesuffix(".xml")
        if each.kind is Kind.METADATA and owner != each.path and owner in paths:
            found[each.path] = owner
    return {path: owner for path, owner in found.items() if owner not in found}


def is_media(resource: Resource) -> bool:
    """Whether a resource is video or audio: by its kind, else its type, else its name."""
    family = resource.type.partition("/")[0].strip().lower()
    return resource.kind is Kind.MEDIA or family in {"video", "audio"} or resource.path.lower().endswith(_MEDIA_ENDINGS)


def _is_in(resource: Resource, form: Form, kinds: frozenset[str], *, media: bool) -> bool:
    if form is Form.DOWNLOAD and not resource.download:
        return False
    if is_media(resource):
        return media
    return resource.kind.value in kinds


def time_of(content: Content) -> int:
    """The moment that a package is of, in seconds since the epoch: the slip's, else its newest resource's, else 1980-01-01."""
    if content.slip.modified is not None:
        return content.slip.modified
    times = [each.modified for each in content.slip.resources if each.modified is not None]
    return max(times, default=315_532_800)
