"""What a target holds, by its commit records."""

from collections.abc import Iterator

from packageslip import CatalogueEntry, Packageslip, SlipError, read_slip
from targets.area import SLIP, Area
from targets.disk import Disk
from targets.errors import PermanentTargetError
from targets.hold import names_in
from targets.records import OWN


def entries(disk: Disk, area: Area, target: str) -> Iterator[CatalogueEntry]:
    """Every module with a commit record, by URL. Raises PermanentTargetError for a record that cannot be read."""
    slips = (_slip(disk, f"{area.modules}/{name}/{SLIP}", target) for name in names_in(disk, area.modules))
    found = [_entry(slip) for slip in slips if slip is not None]
    yield from sorted(found, key=lambda entry: entry.url)


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
