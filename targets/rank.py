"""Whether a task may replace what is live: serials of one queue compare, those of two do not."""

import structlog

from packageslip import Packageslip
from targets.contract import Claim
from targets.errors import SerialTooHigh

log = structlog.get_logger(__name__)


def renew(target: str, url: str, claim: Claim, above: int, slip: Packageslip | None) -> None:
    """Take a new fence. Raises Fenced if the lease is lost, SerialTooHigh where the queue itself must have been put back."""
    if slip is not None and slip.serial is not None and slip.serial > claim.serial and slip.queue == claim.queue:
        claim.check()
        raise SerialTooHigh(
            f"{target}: {url} was published by a later task of this very queue (serial {slip.serial}) than this one (serial "
            f"{claim.serial}). If the database was restored from a copy, run 'slipway db restored'; otherwise "
            "this task is older than what is live",
            target=target,
        )
    log.info("fence renewed", target=target, url=url, above=above)
    claim.renew(above)


def outranked(target: str, url: str, claim: Claim, slip: Packageslip | None) -> bool:
    """Step 7 of the commit protocol: whether the live slip's serial made a new claim necessary. Raises as `renew` does."""
    if slip is None or slip.serial is None or slip.serial <= claim.serial:
        return False
    renew(target, url, claim, max(slip.serial, claim.fence), slip)
    return True
