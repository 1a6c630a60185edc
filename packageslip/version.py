"""What a target's slip has more than a source's: an order, a version, a serial."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from operator import attrgetter, is_

from packageslip.attributes import text
from packageslip.listing import Listing
from packageslip.times import check_time
from packageslip.values import Digest, Kind, Packageslip, Resource, View

_PAGE = Kind.PAGE
_by_path = attrgetter("path")


class Version:
    """A version in the making: resources are added in the order of their paths."""

    def __init__(self) -> None:
        self._whole = sha256()

    def add(self, path: str, digest: Digest) -> None:
        self._whole.update(path.encode() + b"\0" + digest)

    def digest(self) -> Digest:
        return self._whole.digest()


def version_of(slip: Packageslip) -> Digest | None:
    """One digest over the resources' paths and digests; None while any digest is unknown. Views never count.

    SHA-256 over `path NUL digest` (UTF-8, 32 bytes) of each resource in the order of their paths.
    """
    listed = slip.resources
    if isinstance(listed, Listing) and listed.version is not None:
        return listed.version
    version = _digest(listed)
    if isinstance(listed, Listing):
        listed.version = version
    return version


def files_digest(slip: Packageslip) -> Digest | None:
    """One digest over all that lies on a target for this slip, views too; None while any digest is unknown.

    Two slips with the same one need the same tree, whatever else they say.
    """
    if not slip.views:
        return version_of(slip)
    listed = slip.resources
    if isinstance(listed, Listing) and listed.whole and listed.whole[0] == slip.views:
        return listed.whole[1]
    whole = _digest(slip.files())
    if isinstance(listed, Listing) and whole is not None:
        listed.whole = slip.views, whole
    return whole


def _digest(files: Iterable[Resource | View]) -> Digest | None:
    whole = Version()
    for file in sorted(files, key=_by_path):
        if file.digest is None:
            return None
        whole.add(file.path, file.digest)
    return whole.digest()


def on_target(slip: Packageslip, *, serial: int, queue: str) -> Packageslip:
    """The slip as a target records it: sorted by path, with version, serial and queue.

    Raises ValueError if a file has no size or digest. Validators that a source sent but no slip can hold are left out:
    a commit record must be readable above all.
    """
    files: tuple[Resource | View, ...] = (*_unsettled(slip), *slip.views)
    unknown = [file.path for file in files if file.size is None or file.digest is None]
    if unknown:
        raise ValueError(f"{slip.url}: size or digest of {unknown[0]} (and {len(unknown) - 1} more) is unknown")
    settled = replace(slip, resources=_recorded(slip), views=tuple(sorted(slip.views, key=_by_path)))
    return replace(settled, version=version_of(settled), serial=serial, queue=queue)


def _unsettled(slip: Packageslip) -> tuple[Resource, ...]:
    """Those resources of which it is not known yet that they can be recorded."""
    listed = slip.resources
    return () if isinstance(listed, Listing) and (listed.recordable or listed.recorded) else listed


def _recorded(slip: Packageslip) -> Listing:
    listed = slip.resources
    if isinstance(listed, Listing) and listed.recordable:
        return listed
    if isinstance(listed, Listing) and listed.recorded:
        return listed.recorded
    made = Listing(_recordable(resource) for resource in sorted(listed, key=_by_path))
    if isinstance(listed, Listing):
        if all(map(is_, made, listed)):
            made = listed
        else:
            made.version, made.lines = listed.version, _in_this_order(made, listed)
            listed.recorded = made
    made.recordable = True
    return made


def _in_this_order(made: Listing, listed: Listing) -> bytes | None:
    """The lines that are known of the same resources in another order; None where one is another now, or none is known."""
    if listed.lines is None:
        return None
    known = dict(zip(map(id, listed), listed.lines.splitlines(keepends=True), strict=True))
    lines = [known.get(id(resource)) for resource in made]
    return None if None in lines else b"".join(lines)  # type: ignore[arg-type] # none is left


def is_page(file: Resource | View) -> bool:
    """Whether a file is switched after the assets that it may use. Views are: they name pages and files."""
    if isinstance(file, View):
        return True
    return file.kind is _PAGE or _is_html(file.type)


@lru_cache(maxsize=256)
def _is_html(media_type: str) -> bool:
    """Whether a browser shows it as a page; a site has few types."""
    return media_type.partition(";")[0].strip().lower() == "text/html"


def _recordable(resource: Resource) -> Resource:
    etag, modified = resource.etag, resource.modified
    try:
        if etag is not None:
            text(etag)
    except ValueError:
        etag = None
    try:
        if modified is not None:
            check_time(modified)
    except ValueError:
        modified = None
    same = etag is resource.etag and modified is resource.modified
    return resource if same else replace(resource, etag=etag, modified=modified)
