"""Which signatures an environment asks for, and what can be wrong with what was configured for them."""

from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterator

from config.places import GroupTarget
from config.settings import Settings
from config.signatures import SignatureSettings
from config.validate import Finding, Location

_TARGET = "target:"
_KIND = "ed25519:"


def signatures_of(settings: Settings, source: str) -> SignatureSettings | None:
    """The signatures that slips from this source need; None: it is configured without.

    What is promoted from a target needs those of the source that the target's own environment has.
    """
    return next(iter(_all_of(settings, source, frozenset())), None)


def _all_of(settings: Settings, source: str, seen: frozenset[str]) -> Iterator[SignatureSettings]:
    if not source.startswith(_TARGET):
        found = settings.sources.get(source)
        if found is not None and found.signatures is not None:
            yield found.signatures
        return
    target = source.removeprefix(_TARGET)
    if target in seen:
        return
    for environment in settings.environments.values():
        if target in _places(settings, environment.origin):
            yield from _all_of(settings, environment.source, seen | {target})


def _places(settings: Settings, origin: str) -> set[str]:
    kind = settings.targets.get(origin)
    return {origin, *kind.members} if isinstance(kind, GroupTarget) else {origin}


def signature_findings(settings: Settings) -> Iterator[Finding]:
    """Every fault of keys, thresholds, and of who needs which."""
    for name, source in settings.sources.items():
        if source.signatures is not None:
            yield from _faults(("sources", name, "signatures"), source.signatures)
    for name, environment in settings.environments.items():
        found = list(_all_of(settings, environment.source, frozenset()))
        if any(one != found[0] for one in found):
            words = "is published to from sources with different signatures; give them the same, or targets of their own"
            yield Finding(("environments", name, "source"), words)


def _faults(place: Location, signatures: SignatureSettings) -> Iterator[Finding]:
    for position, key in enumerate(signatures.keys):
        if not _is_key(key):
            yield Finding((*place, "keys", position), "is no public key as 'slipway slip keygen' prints it: ed25519:BASE64")
        elif key in signatures.keys[:position]:
            yield Finding((*place, "keys", position), "is there twice")
    known = len(set(signatures.keys))
    if signatures.threshold > known:
        yield Finding((*place, "threshold"), f"must not be more than the number of keys, {known}: nothing could be published")


def _is_key(text: str) -> bool:
    try:
        return text.startswith(_KIND) and len(b64decode(text.removeprefix(_KIND), validate=True)) == 32
    except (BadBase64, ValueError):
        return False
