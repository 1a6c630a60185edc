"""What a person does about an attempt that ended badly: by the class of its error, beside the sentence that it left."""

from collections.abc import Mapping

from database import Attempt

REMEDIES: Mapping[str, str] = {
    "TargetUnreachable": "Nothing, if it comes back by itself; else look whether its server runs and its disk is mounted.",
    "TargetBusy": "Nothing: it is tried again when whoever is at work there has finished.",
    "HostKeyRefused": "Find out whether the server's key was changed on purpose; then correct known_hosts or host_key.",
    "LoginRefused": "Look whether the account and its key still are what the configuration says; test the target.",
    "PermissionRefused": "Give the account the right to write in the target's root, then retry.",
    "NoSpace": "Make room on the target; it is tried again by itself.",
    "TargetUnfit": "Test the target: the test names what its server lacks, and the setting that goes without it.",
    "PathBlocked": "Move away what stands at that path on the target, then retry.",
    "AreaMissing": "The target belongs to another queue, or lost its area: see 'slipway target adopt' before anything else.",
    "CorruptTransfer": "It is tried again; if it happens often, the way to the target or its disk is at fault.",
    "SourceUnreachable": "Nothing, if the CMS comes back by itself; else look there.",
    "SourceSlow": "Nothing: it is tried again later; lower sources.NAME.parallel if the CMS is too often overtaxed.",
    "NoSuchModule": "The CMS has no slip at this address: publish the module there, or correct the address.",
    "ResourceMissing": "The slip lists a file that the CMS does not have: correct the module in the CMS, then retry.",
    "AccessRefused": "Look whether the account that the configuration has for the CMS may still read.",
    "WrongBytes": "The CMS sends other bytes than its slip says: let it make the slip anew, then retry.",
    "SourceChanged": "Nothing: the module was being edited; it is read again.",
    "BadSlip": "Correct the module in the CMS as the message says, then retry.",
    "PlanHeld": "Look at the plan, then approve it or cancel the task.",
    "PlanRefused": "No approval lets this go on: correct the slip at its source.",
    "VersionGone": "That version's bytes are nowhere any more: publish the present version instead.",
    "Drifted": "Run a VERIFY with repair: it puts back what differs.",
    "TakenDown": "The module was taken down: it stays away until somebody lifts that.",
    "SignatureRefused": "Find out who made that slip before anything else; nothing of it was published.",
    "NotDeposited": "Let the RETIRE task come to its end first.",
    "SecretError": "Put the secret back where the configuration says that it is, then retry.",
    "StoreFull": "Make room on the engine's own disk: 'slipway store gc' deletes what nothing needs.",
}
LOST = "Its engine died over it; another one takes it. If that happens again, look into the engine's log."


def remedy(attempt: Attempt) -> str | None:
    """What to do about this attempt; None: nothing, or the sentence it left says it all."""
    if attempt.outcome == "LOST":
        return LOST
    return REMEDIES.get(attempt.error or "")
