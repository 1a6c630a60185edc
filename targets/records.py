"""Reading commit records: the slips in a queue's area."""

from packageslip import Limits, Packageslip, SlipError, read_slip
from targets.disk import Readable
from targets.errors import PermanentTargetError

OWN = Limits(bytes=2**40, resources=2**31)
"""What was published once must be readable again, whatever the limits for slips of others are now."""


def read_record(disk: Readable, path: str, url: str, target: str) -> Packageslip | None:
    """The slip at a path of the area, None where there is none.

    Raises PermanentTargetError for one that cannot be read: to take it for none would forget which files are ours.
    """
    try:
        document = disk.read(path)
    except FileNotFoundError:
        return None
    return record_in(document, path, url, target)


def record_in(document: bytes | None, path: str, url: str, target: str) -> Packageslip | None:
    """The slip in a document that was read already. Raises like `read_record`."""
    if document is None:
        return None
    try:
        return read_slip(document, f"{target}: {path}", OWN, url=url)
    except SlipError as error:
        raise PermanentTargetError(
            f"{target}: the commit record of {url} cannot be read ({error}). Put the right one back, or move {path} away, "
            "and what lies there is treated as foreign",
            target=target,
        ) from error


def is_ours(disk: Readable, path: str, url: str) -> bool:
    """Whether the public copy at a path was written by a release: a foreign or old one is not ours to remove."""
    try:
        slip = read_slip(disk.read(path), path, Limits(), url=url)
    except (FileNotFoundError, SlipError):
        return False
    return slip.serial is not None
