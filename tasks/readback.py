"""Reading a deposit back from the retired-courses area, when the record of deposits was lost with its database."""

from contextlib import closing

import structlog

from config import RetireSettings
from database import Deposit
from packageslip import Packageslip
from tasks.errors import Drifted
from tasks.parcel import parcel_of
from tasks.retired import DEPOSIT, RECEIPT, RETIRED, read_deposit
from tasks.transfer import copied
from tasks.work import Work

log = structlog.get_logger(__name__)

LONGEST = 16 << 20
"""Bytes of a small file that are read: as much as an archive's answer may have."""


def read_back(work: Work, live: Packageslip, retire: RetireSettings) -> Deposit | None:
    """The deposit that the live module in the area tells of, in the record again; None if it tells of none in this archive.

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
        made = deposits.confirm(*own, made.id, location=location, handle=handle, receipt=receipt, since=since)
        return made if made.archive == retire.archive else None
    return _maybe_sent(work, live, retire)


def _maybe_sent(work: Work, live: Packageslip, retire: RetireSettings) -> Deposit:
    package = live.resources[0]
    assert package.digest is not None, "a target's slip has digests"
    assert package.size is not None, "a target's slip has sizes"
    missing = work.tools.store.missing([package.digest])
    if missing - (copied(work, work.target, live, missing) if missing else set()):
        raise Drifted(f"{package.path} of {live.url} cannot be read on {work.target}; 'slipway verify' shows what is wrong there")
    version = bytes.fromhex(live.revision or "")
    parcel = parcel_of(work, live, retire, version, package.digest, package.size)
    deposits, own = work.tools.deposits, (work.task, work.tools.claim.fence)
    return deposits.send(*own, deposits.prepare(*own, parcel).id)


def _content(work: Work, url: str, path: str) -> bytes:
    with closing(work.tools.target.open(url, path)) as stream:
        return stream.read(LONGEST)
