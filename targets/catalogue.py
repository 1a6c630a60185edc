"""What a target holds, by its commit records."""

from collections.abc import Iterator

from packageslip import CatalogueEntry, Packageslip, SlipError, read_slip
from targets.area import PUBLIC_SLIP, SLIP, Area, live_path
from targets.disk import Disk, EntryType, Readable
from targets.errors import PermanentTargetError
from targets.hold import names_in
from targets.options import PlacedOptions
from targets.records import OWN
from targets.shelf import Shelf


def entries(disk: Disk, area: Area, target: str) -> Iterator[CatalogueEntry]:
    """Every module with a commit record, by URL. Raises PermanentTargetError for a record that cannot be read."""
    yield from sorted(map(entry_of, _slips(disk, area, target)), key=lambda entry: entry.url)


def unclaimed(disk: Disk, options: PlacedOptions, area: Area | None, target: str) -> Iterator[str]:
    """Files below the root that no record lists, folder by folder, as visitors see them: a versioned module through its link.

    Slipway's own folders are left out.
    """
    slips = list(_slips(disk, area, target)) if area else []
    listed = {live_path(slip.url, path) for slip in slips for path in public_paths(slip)}
    links = {live_path(slip.url, ""): Shelf(options.releases, slip.url) for slip in slips}
    own = {options.area.strip("/"), options.releases}
    folders = [("", "")]
    while folders:
        seen, folder = folders.pop()
        for name, entry in sorted(names_in(disk, folder).items()):
            path = f"{seen}/{name}" if seen else name
            release = links[path].linked(disk, entry) if path in links else None
            if release:
                folders.append((path, links[path].tree(release)))
            elif entry.type is EntryType.FOLDER:
                folders += [(path, f"{folder}/{name}" if folder else name)] if path not in own else []
            elif path not in listed:
                yield path


def public_paths(slip: Packageslip) -> Iterator[str]:
    """Every path of the module that a release may have written."""
    yield PUBLIC_SLIP
    yield from (file.path for file in slip.ours())


def _slips(disk: Disk, area: Area, target: str) -> Iterator[Packageslip]:
    slips = (read_any(disk, f"{area.modules}/{name}/{SLIP}", target) for name in names_in(disk, area.modules))
    return (slip for slip in slips if slip is not None)


def read_any(disk: Readable, path: str, target: str) -> Packageslip | None:
    """The commit record at this path, whichever module's it is; None where there is none. Raises PermanentTargetError."""
    try:
        return read_slip(disk.read(path), f"{target}: {path}", OWN)
    except FileNotFoundError:
        return None
    except SlipError as error:
        raise PermanentTargetError(
            f"{target}: a commit record cannot be read: {error}. Move {path} away", target=target
        ) from error


def entry_of(slip: Packageslip) -> CatalogueEntry:
    """A module as a catalogue lists it."""
    return CatalogueEntry(slip.url, slip.module_type, slip.state, slip.revision, slip.version, slip.serial)
