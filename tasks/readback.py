"""Reading a deposit back from the retired-courses area, when the record of deposits was lost with its database."""

import hashlib
from collections.abc import Callable
from contextlib import closing

import structlog

from database import Deposit, Parcel
from packageslip import Digest, Packageslip
from tasks.errors import Drifted
from tasks.retired import DEPOSIT, RECEIPT, RETIRED, read_deposit
from tasks.transfer import CHUNK
from tasks.work import Work

log = structlog.get_logger(__name__)

LONGEST = 16 << 20
"""Bytes of a small file that are read: as much as an archive's answer may have."""

ParcelOf = Callable[[Digest, str, Digest, str, int], Parcel]
"""The parcel of a version: file, digest, MD5, size."""


def read_back(work: Work, live: Packageslip, parcel_of: ParcelOf) -> Deposit | None:
    """The deposit that the live module in the area tells of, in the record again; None if it tells of none.

    With a handle, or else as one that was sent: nobody knows any more whether it was. Raises Drifted for a damaged file.
    """
    if live.state != RETIRED or not live.revision:
        return None
    paths = {each.path for each in live.resources}
    deposits, own = work.tools.deposits, (work.task, work.tools.claim.fence)
    log.warning("deposit read back from the retired-courses area", task=work.task.id, url=live.url, target=work.target)
    work.summary["read_back"] = True
    if DEPOSIT in paths:
        try:
            parcel, location, handle, since = read_deposit(_content(work, live.url, DEPOSIT))
        except ValueError as error:
            raise Drifted(
                f"{DEPOSIT} of {live.url} on {work.target} cannot be read: {error}; put it back, or insert a RETIRE row with the "
                'parameters {"handle": "..."} of its item in the archive after removing the module there'
            ) from error
        receipt = _content(work, live.url, RECEIPT) if RECEIPT in paths else None
        made = deposits.prepare(*own, parcel)
        return deposits.confirm(*own, made.id, location=location, handle=handle, receipt=receipt, since=since)
    package = live.resources[0]
    assert package.digest is not None, "a target's slip has digests"
    assert package.size is not None, "a target's slip has sizes"
    version = bytes.fromhex(live.revision)
    made = deposits.prepare(
        *own, parcel_of(version, package.path, package.digest, _md5(work, live.url, package.path), package.size)
    )
    return deposits.send(*own, made.id)


def _content(work: Work, url: str, path: str) -> bytes:
    with closing(work.tools.target.open(url, path)) as stream:
        return stream.read(LONGEST)


def _md5(work: Work, url: str, path: str) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    with closing(work.tools.target.open(url, path)) as stream:
        while chunk := stream.read(CHUNK):
            work.tools.pause_point()
            md5.update(chunk)
    return md5.hexdigest()
