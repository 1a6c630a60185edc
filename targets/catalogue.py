"""What a target holds, by its commit records."""

from collections.abc import Iterator

from packageslip import CatalogueEntry, Packageslip, SlipError, read_slip
from targets.area import PUBLIC_SLIP, SLIP, Area, live_path
from targets.disk import Disk, EntryType
from targets.errors import PermanentTargetError
from targets.hold import names_in
from targets.records import OWN


def entries(disk: Disk, area: Area, target: str) -> Iterator[CatalogueEntry]:
    """Every module with a commit record, by URL. Raises PermanentTargetError for a record that cannot be read."""
    yield from sorted(map(_entry, _slips(disk, area, target)), key=lambda entry: entry.url)


def unclaimed(disk: Disk, own: str, area: Area | None, target: str) -> Iterator[str]:
    """Files below the root that no record lists, folder by folder. `own`: Slipway's folder, which is left out."""
    listed = {live_path(slip.url, path) for slip in _slips(disk, area, target) for path in _paths(slip)} if area else set()
    folders = [""]
    while folders:
        folder = folders.pop()
        for name, entry in sorted(names_in(disk, folder).items()):
            path = f"{folder}/{name}" if folder else name
            if entry.type is EntryType.FOLDER:
                folders += [path] if path != own else []
            elif path not in listed:
                yield path


def _paths(slip: Packageslip) -> Iterator[str]:
    yield PUBLIC_SLIP
    yield from (file.path for file in slip.files())


def _slips(disk: Disk, area: Area, target: str) -> Iterator[Packageslip]:
    slips = (_slip(disk, f"{area.modules}/{name}/{SLIP}", target) for name in names_in(disk, area.modules))
    return (slip for slip in slips if slip is not None)


def _slip(disk: Disk, path: str, target: str) -> Packageslip | None:
    try:
        return read_slip(disk.read(path), f"{target}: {path}", OWN)
    except FileNotFoundError:
        return None
    except SlipError as error:
        raise PermanentTargetError(
            f"{target}: a commit record cannot be read: {error}. Move {path} away", target=target
        ) from error


def _entry(slip: Packageslip) -> CatalogueEntry:
    return CatalogueEntry(slip.url, slip.module_type, slip.state, slip.revision, slip.version, slip.serial)
