"""Whether the slip that a task works with may be believed, in its environment, now."""

from typing import Any

import structlog

from config import SignatureSettings, signatures_of
from packageslip import Packageslip, Seen, SerialSuspect, Statement, Trust, believe, check_serial, format_time, trusted_keys
from tasks.errors import PlanHeld
from tasks.work import Work

_WHENEVER = 0
"""A time at which every signature is good still."""

log = structlog.get_logger(__name__)


def trust_of(signatures: SignatureSettings) -> Trust:
    """The settings as `packageslip` judges by them."""
    return Trust(trusted_keys(signatures.keys), signatures.threshold, signatures.required, signatures.max_jump)


def prove(work: Work, slip: Packageslip) -> None:
    """Go on only with a slip that is signed as its source requires, for this environment, and is no older one than was seen.

    A promoted slip proves itself by the signature that it took along. Raises SignatureRefused; PlanHeld where only the serial is
    not the next one, until a person approved this very slip.
    """
    signatures = signatures_of(work.tools.settings, work.tools.environment.source)
    if signatures is None:
        return
    trust, proofs, environment = trust_of(signatures), work.tools.proofs, work.task.environment
    statement = believe(slip, trust, environment=environment, now=int(proofs.now().timestamp()))
    seen = proofs.seen(environment, slip.url)
    try:
        check_serial(statement, seen, trust, slip)
    except SerialSuspect as suspect:
        if work.task.approved_plan != suspect.digest:
            raise PlanHeld(*_held(work, suspect)) from suspect
    now = _seen(statement)
    if now != seen and not work.dry_run:
        proofs.believe(environment, slip.url, now)
        log.info("signed slip believed", task=work.task.id, url=slip.url, serial=now.serial if now else None)


def doubt_again(work: Work, slip: Packageslip) -> str:
    """Why a person has to agree before this slip, which was live once, is live again; empty: nobody has to.

    Its serial is an old one by nature, and its signature may have run out since; all else of it must still be true. What was
    made here, or published before the source was configured with signatures, has none. Raises SignatureRefused.
    """
    signatures = signatures_of(work.tools.settings, work.tools.environment.source)
    if signatures is None:
        return ""
    trust, proofs, environment = trust_of(signatures), work.tools.proofs, work.task.environment
    signed_before = proofs.seen(environment, slip.url) is not None
    if slip.signature is None and not (trust.required and signed_before):
        doubted = trust.required or signed_before
        return f"that version of {slip.url} is not signed: it is older than the signatures, or was made here" if doubted else ""
    statement = believe(slip, trust, environment=environment, now=_WHENEVER)
    if statement is None or statement.expires > int(proofs.now().timestamp()):
        return ""
    return f"the signature on that version of {slip.url} was good until {format_time(statement.expires)}"


def _seen(statement: Statement | None) -> Seen | None:
    return Seen(statement.serial, statement.slip) if statement else None


def _held(work: Work, suspect: SerialSuspect) -> tuple[str, str, dict[str, Any]]:
    document = {
        "url": work.task.url,
        "target": work.target,
        "digest": suspect.digest,
        "objections": [{"rule": "signature", "sentence": str(suspect)}],
    }
    return f"{suspect}; find out why, then approve it to publish this very slip, or cancel it", suspect.digest, document
