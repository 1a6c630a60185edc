"""Whether the slip that a task works with may be believed, in its environment, now."""

from typing import Any

import structlog

from config import SignatureSettings, signatures_of
from packageslip import Packageslip, Seen, SerialSuspect, Statement, Trust, believe, check_serial, trusted_keys
from tasks.errors import PlanHeld
from tasks.work import Work

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
