"""Whether a slip may be believed: the attacks that TUF names, each with its rule. Purely: time and keys are given."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from packageslip.errors import SerialSuspect, SignatureRefused
from packageslip.signing import is_signed_by, public_key
from packageslip.statement import Signed, Statement, contents_of, read_signature
from packageslip.times import format_time
from packageslip.values import Digest, Packageslip
from packageslip.version import version_of


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may sign the slips of a source. `keys`: ids to public keys of 32 bytes; `max_jump`: how far a serial may rise."""

    keys: Mapping[str, bytes]
    threshold: int = 1
    required: bool = True
    max_jump: int = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """The last statement that was believed for a module in an environment: its serial and its slip's digest."""

    serial: int
    slip: Digest


def check_document(document: Digest, size: int, statement: Statement, name: str) -> None:
    """Refuse a slip's document that is another than the one that was signed (G3)."""
    if (document, size) != (statement.slip, statement.size):
        raise SignatureRefused(
            f"{name}: the signature beside it was made for another document; sign the slip that is there now. If nobody changed "
            "it since it was signed, find out who did",
            "G3",
        )


def believe(slip: Packageslip, trust: Trust, *, environment: str, now: int) -> Statement | None:
    """The statement that this slip came with, all of it true but for its serial; None: it is unsigned, and may be.

    `now`: seconds since the epoch. Raises SignatureRefused with its rule.
    """
    what = f"the slip of {slip.url}"
    if slip.signature is None:
        if trust.required:
            raise SignatureRefused(f"{what} is not signed, and its source requires that; sign it with 'slipway slip sign'", "G1")
        return None
    signed = read_signature(slip.signature, f"the signature of {slip.url}")
    _check_keys(signed, trust, what)
    _check_place(signed.statement, slip, environment, what)
    if signed.statement.expires <= now:
        until = format_time(signed.statement.expires)
        raise SignatureRefused(f"the signature on {what} was good until {until}: it may be an old one; sign the slip anew", "G7")
    _check_files(signed.statement, slip, what)
    return signed.statement


def check_serial(statement: Statement | None, seen: Seen | None, trust: Trust, slip: Packageslip) -> None:
    """Refuse what is older than what was seen, other than it, or too far ahead. Raises SerialSuspect: a person may know why."""
    if seen is None or (statement and (statement.serial, statement.slip) == (seen.serial, seen.slip)):
        return
    what = f"the slip of {slip.url}"
    if statement is None:
        raise _suspect(
            f"{what} is not signed, but an earlier one was (serial {seen.serial}): somebody may have taken it off", slip
        )
    if statement.serial < seen.serial:
        raise _suspect(
            f"{what} is signed with serial {statement.serial}, but {seen.serial} was published: it is an older one", slip
        )
    if statement.serial == seen.serial:
        raise _suspect(f"two different slips of {slip.url} are signed with the serial {seen.serial}", slip)
    if statement.serial - seen.serial > trust.max_jump:
        raise _suspect(
            f"{what} is signed with serial {statement.serial}, which is more than {trust.max_jump} above {seen.serial}: one such "
            "slip would make every later one look old",
            slip,
        )


def key_id(key: bytes) -> str:
    """The name of a public key."""
    return f"ed25519:{sha256(key).hexdigest()[:16]}"


def trusted_keys(texts: tuple[str, ...]) -> dict[str, bytes]:
    """Public keys in their written form, by their ids. Raises ValueError."""
    return {key_id(key): key for key in map(public_key, texts)}


def _suspect(sentence: str, slip: Packageslip) -> SerialSuspect:
    digest = sha256(b"serial\0" + slip.url.encode() + b"\0" + contents_of(slip) + b"\0" + (slip.signature or b"")).hexdigest()
    return SerialSuspect(sentence, digest)


def _check_keys(signed: Signed, trust: Trust, what: str) -> None:
    """Enough known keys, and none of them with a signature that is wrong. Keys that are not known count for nothing."""
    known = [(key, value) for key, value in signed.signatures if key in trust.keys]
    wrong = [key for key, value in known if not is_signed_by(trust.keys[key], signed.statement, value)]
    if wrong:
        raise SignatureRefused(
            f"the signature of {wrong[0]} on {what} is wrong: what it says was changed after it was signed", "G4"
        )
    if len(known) < trust.threshold:
        signers = ", ".join(key for key, _ in signed.signatures)
        raise SignatureRefused(
            f"{what} is signed by {len(known)} of the source's keys, {trust.threshold} are needed (it names {signers}); sign it "
            "with the right key, or add that one to the source's 'keys'",
            "G4",
        )


def _check_place(statement: Statement, slip: Packageslip, environment: str, what: str) -> None:
    if statement.url != slip.url:
        raise SignatureRefused(f"{what} came with the signature of {statement.url}; sign this one", "G5")
    if environment not in statement.environments:
        allowed = ", ".join(statement.environments)
        raise SignatureRefused(f"{what} is signed for {allowed}, not for {environment}; sign it for that too", "G6")


def _check_files(statement: Statement, slip: Packageslip, what: str) -> None:
    """Every file is known by size and digest, and they are those that were signed, on whatever way the slip came."""
    for resource in slip.resources:
        if resource.size is None or resource.digest is None:
            raise SignatureRefused(
                f"{what} lists {resource.path!r} without its size and digest, so that its signature does not cover the bytes; "
                "give every resource both",
                "G8",
            )
    if version_of(slip) != statement.version:
        raise SignatureRefused(f"the files that {what} lists are not those that were signed; sign it anew", "G9")
    if statement.contents is not None and contents_of(slip) != statement.contents:
        raise SignatureRefused(f"what {what} says of its files is not what was signed; sign it anew", "G9")
