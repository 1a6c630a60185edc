"""Signed slips against the attacks that TUF names: each row is one, and the rule that stops it."""

import json
import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from packageslip import (
    BadSlip,
    Packageslip,
    Resource,
    Seen,
    SerialSuspect,
    SignatureRefused,
    Trust,
    believe,
    check_document,
    check_serial,
    contents_of,
    make_key,
    on_target,
    public_key,
    read_signature,
    read_slip,
    trusted_keys,
    version_of,
    write_signature,
    write_slip,
)
from packageslip.signing import read_key
from packageslip.statement import LONGEST
from support.signers import LATER, Signers, with_signature

URL = "/courses/physics/8-01"
NOW = 1_800_000_000
SLIP = Packageslip(
    URL,
    (
        Resource("index.htm", size=4, digest=b"\1" * 32, title="Physics", modified=7),
        Resource("notes/l1.pdf", size=9, digest=b"\2" * 32, order=3, download=False),
    ),
    dependents=("/courses/physics",),
    title="Physics I",
)
DOCUMENT = write_slip(SLIP)


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    return Signers(tmp_path_factory.mktemp("keys"))


def trust(signers: Signers, *names: str, **more: Any) -> Trust:
    return Trust(trusted_keys(tuple(signers.key(name) for name in names or ("cms",))), **more)


def judge(slip: Packageslip, believed: Trust, environment: str = "STAGING", now: int = NOW) -> object:
    return believe(slip, believed, environment=environment, now=now)


@dataclass(frozen=True)
class Attack:
    """What is signed, what is done to it afterwards, and which rule must stop it (None: nothing is wrong with it)."""

    rule: str | None
    keys: Sequence[str] = ("cms",)
    serial: int = 5
    expires: int = LATER
    to: Sequence[str] = ("STAGING",)
    signature: Callable[[Any], None] = lambda whole: None
    slip: Callable[[Packageslip], Packageslip] = lambda slip: slip
    trusted: Sequence[str] = ("cms",)
    threshold: int = 1


def said(name: str, value: object) -> Callable[[Any], None]:
    return lambda whole: whole["statement"].__setitem__(name, value)


def flip(whole: Any) -> None:
    one = whole["signatures"][0]
    one["signature"] = b64encode(bytes(64)).decode()


def first(**changes: Any) -> Callable[[Packageslip], Packageslip]:
    return lambda slip: replace(slip, resources=(replace(slip.resources[0], **changes), *slip.resources[1:]))


def steal(whole: Any) -> None:
    """A known key's name over another's signature."""
    whole["signatures"][0]["key"], whole["signatures"][1]["key"] = (
        whole["signatures"][1]["key"],
        whole["signatures"][0]["key"],
    )


ATTACKS = {
    "good": Attack(None),
    "good, by two": Attack(None, keys=("cms", "second"), trusted=("cms", "second"), threshold=2),
    "good, by one of two": Attack(None, trusted=("cms", "second")),
    "good, a stranger signs too": Attack(None, keys=("cms", "stranger")),
    "good, for several environments": Attack(None, to=("MIRROR", "STAGING")),
    # Arbitrary content: nobody who may has signed it.
    "arbitrary: a stranger's key": Attack("G4", keys=("stranger",)),
    "arbitrary: an empty signature": Attack("G4", signature=flip),
    "arbitrary: unsigned": Attack("G1", slip=lambda slip: replace(slip, signature=None)),
    "arbitrary: a page replaced": Attack("G9", slip=first(digest=b"\3" * 32)),
    "arbitrary: a page grown": Attack("G9", slip=first(size=5)),
    "arbitrary: a page renamed": Attack("G9", slip=first(path="evil.htm")),
    "arbitrary: a page left out": Attack("G9", slip=lambda slip: replace(slip, resources=slip.resources[1:])),
    "arbitrary: a page added": Attack(
        "G9", slip=lambda s: replace(s, resources=(*s.resources, Resource("z", size=1, digest=b"4" * 32)))
    ),
    "arbitrary: another type": Attack("G9", slip=first(type="text/html")),
    "arbitrary: another title": Attack("G9", slip=lambda slip: replace(slip, title="Owned")),
    "arbitrary: another place for its bytes": Attack("G9", slip=first(href="/elsewhere")),
    "arbitrary: kept out of the mirror": Attack("G9", slip=first(mirror=False)),
    "extraneous: another dependent": Attack("G9", slip=lambda slip: replace(slip, dependents=("/evil",))),
    "extraneous: another department": Attack("G9", slip=lambda slip: replace(slip, linked_departments=("8",))),
    # Rollback and fast-forward: the number is inside what is signed.
    "rollback: a higher serial written in": Attack("G4", signature=said("serial", 99)),
    "fast-forward: the largest serial written in": Attack("G4", signature=said("serial", 2**53 - 1)),
    # Freeze: an end that is signed.
    "freeze: expired": Attack("G7", expires=NOW - 1),
    "freeze: expired this very second": Attack("G7", expires=NOW),
    "freeze: good for one second more": Attack(None, expires=NOW + 1),
    "freeze: a later end written in": Attack("G4", expires=NOW - 1, signature=said("expires", "2099-01-01T00:00:00Z")),
    # Endless data: every file has an end that is signed.
    "endless: no size": Attack("G8", slip=first(size=None)),
    "endless: no digest": Attack("G8", slip=first(digest=None)),
    "endless: another size of the slip": Attack("G4", signature=said("size", 2**50)),
    # Mix-and-match and the wrong place.
    "mix-and-match: another module's": Attack("G5", slip=lambda slip: replace(slip, url="/courses/other")),
    "mix-and-match: the URL written in": Attack("G4", signature=said("url", "/courses/other")),
    "mix-and-match: another environment's": Attack("G6", to=("PRODUCTION",)),
    "mix-and-match: the environment written in": Attack("G4", to=("PRODUCTION",), signature=said("environments", ["STAGING"])),
    "mix-and-match: another version written in": Attack("G4", signature=said("version", "sha256:" + "0" * 64)),
    "mix-and-match: other contents written in": Attack("G4", signature=said("contents", "sha256:" + "0" * 64)),
    "mix-and-match: contents struck out": Attack("G4", signature=lambda whole: whole["statement"].pop("contents")),
    # Key loss: one stolen key is not enough.
    "key loss: one of two needed": Attack("G4", trusted=("cms", "second"), threshold=2),
    "key loss: two signatures, one trusted": Attack("G4", keys=("cms", "stranger"), trusted=("cms", "second"), threshold=2),
    "key loss: the key is not trusted any more": Attack("G4", trusted=("second",)),
    "key loss: two keys exchanged": Attack("G4", keys=("cms", "second"), trusted=("cms", "second"), signature=steal),
    "key loss: a good one and a wrong one": Attack("G4", keys=("cms", "second"), trusted=("cms", "second"), signature=flip),
    # Wrong source: another CMS's key.
    "wrong source: signed by the other CMS": Attack("G4", keys=("second",), trusted=("cms",)),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped_by_its_rule(name: str, signers: Signers) -> None:
    attack = ATTACKS[name]
    signed = signers.sign(DOCUMENT, *attack.keys, serial=attack.serial, expires=attack.expires, to=attack.to)
    whole = json.loads(write_signature(signed))
    attack.signature(whole)
    slip = attack.slip(replace(SLIP, signature=json.dumps(whole).encode()))
    believed = trust(signers, *attack.trusted, threshold=attack.threshold)
    if attack.rule is None:
        assert judge(slip, believed) == signed.statement
        return
    with pytest.raises(SignatureRefused) as refused:
        judge(slip, believed)
    assert refused.value.rule == attack.rule
    assert URL in str(refused.value) or "/courses/other" in str(refused.value)


def test_an_unsigned_slip_passes_where_signatures_are_not_required(signers: Signers) -> None:
    assert judge(SLIP, trust(signers, required=False)) is None


def test_a_bad_signature_is_refused_also_where_none_is_required(signers: Signers) -> None:
    with pytest.raises(SignatureRefused, match="G2"):
        judge(replace(SLIP, signature=b"{}"), trust(signers, required=False))


SERIALS = {
    "the first": (5, None, 10, True),
    "the next": (6, 5, 10, True),
    "as far as allowed": (15, 5, 10, True),
    "too far": (16, 5, 10, False),
    "the end of all numbers": (2**53 - 1, 5, 10_000, False),
    "one back": (4, 5, 10, False),
    "nought again": (0, 5, 10, False),
}


@pytest.mark.parametrize("name", SERIALS)
def test_a_serial_rises_and_not_too_far(name: str, signers: Signers) -> None:
    serial, before, jump, good = SERIALS[name]
    signed = signers.sign(DOCUMENT, serial=serial)
    seen = None if before is None else Seen(before, b"\7" * 32)
    slip = with_signature(SLIP, signed)
    if good:
        check_serial(signed.statement, seen, trust(signers, max_jump=jump), slip)
        return
    with pytest.raises(SerialSuspect, match="G10") as suspect:
        check_serial(signed.statement, seen, trust(signers, max_jump=jump), slip)
    assert len(suspect.value.digest) == 64


def test_the_same_serial_is_good_for_the_same_slip_only(signers: Signers) -> None:
    signed = signers.sign(DOCUMENT, serial=5)
    check_serial(signed.statement, Seen(5, signed.statement.slip), trust(signers), SLIP)
    with pytest.raises(SerialSuspect, match="two different slips"):
        check_serial(signed.statement, Seen(5, b"\7" * 32), trust(signers), SLIP)


def test_a_signature_that_was_taken_off_is_noticed(signers: Signers) -> None:
    with pytest.raises(SerialSuspect, match="is not signed, but an earlier one was"):
        check_serial(None, Seen(5, b"\7" * 32), trust(signers, required=False), SLIP)


def test_an_approval_names_one_very_slip(signers: Signers) -> None:
    def digest(slip: Packageslip, serial: int) -> str:
        signed = signers.sign(DOCUMENT, serial=serial)
        with pytest.raises(SerialSuspect) as suspect:
            check_serial(signed.statement, Seen(9, b"\7" * 32), trust(signers), with_signature(slip, signed))
        return suspect.value.digest

    assert digest(SLIP, 4) == digest(SLIP, 4)
    assert len({digest(SLIP, 4), digest(SLIP, 3), digest(replace(SLIP, title="other"), 4)}) == 3


def test_the_document_must_be_the_one_that_was_signed(signers: Signers) -> None:
    statement = signers.sign(DOCUMENT).statement
    check_document(statement.slip, statement.size, statement, "slip")
    for digest, size in ((b"\0" * 32, statement.size), (statement.slip, statement.size + 1)):
        with pytest.raises(SignatureRefused, match="G3"):
            check_document(digest, size, statement, "slip")


def test_promotion_keeps_the_proof(signers: Signers) -> None:
    """A slip is written anew on a target; what was signed for PRODUCTION can still be verified from there."""
    signed = signers.sign(DOCUMENT, to=("PRODUCTION", "STAGING"))
    lies = on_target(replace(with_signature(SLIP, signed)), serial=42, queue="ab")
    found = read_slip(write_slip(lies), "on the target")
    assert found.signature == write_signature(signed)
    assert judge(found, trust(signers), "PRODUCTION") == signed.statement
    with pytest.raises(SignatureRefused, match="G9"):
        judge(replace(found, title="changed on the target"), trust(signers), "PRODUCTION")


def test_a_slip_of_a_source_has_no_signature_inside(signers: Signers) -> None:
    with pytest.raises(BadSlip, match="only a published slip has its signature inside"):
        read_slip(write_slip(with_signature(SLIP, signers.sign(DOCUMENT))), "slip")


def whole_document(signers: Signers) -> Any:
    return json.loads(write_signature(signers.sign(DOCUMENT)))


def without(*path: str) -> Callable[[Any], None]:
    def change(whole: Any) -> None:
        for name in path[:-1]:
            whole = whole[name]
        del whole[path[-1]]

    return change


MALFORMED: dict[str, Callable[[Any], None]] = {
    "another format": lambda whole: whole.__setitem__("format", "urn:slipway:signature:2"),
    "no format": without("format"),
    "no statement": without("statement"),
    "no signatures": without("signatures"),
    "an empty list of signatures": lambda whole: whole.__setitem__("signatures", []),
    "too many signatures": lambda whole: whole.__setitem__("signatures", whole["signatures"] * 17),
    "one key twice": lambda whole: whole.__setitem__("signatures", whole["signatures"] * 2),
    "an unknown member": lambda whole: whole.__setitem__("alg", "none"),
    "an unknown member of the statement": said("role", "root"),
    "an unknown member of a signature": lambda whole: whole["signatures"][0].__setitem__("alg", "none"),
    "a key of another kind": lambda whole: whole["signatures"][0].__setitem__("key", "rsa:0123456789abcdef"),
    "a short signature": lambda whole: whole["signatures"][0].__setitem__("signature", "AAAA"),
    "a signature that is no base64": lambda whole: whole["signatures"][0].__setitem__("signature", "!" * 88),
    "a signature that is a number": lambda whole: whole["signatures"][0].__setitem__("signature", 7),
    "a serial below nought": said("serial", -1),
    "a serial beyond all": said("serial", 2**53),
    "a serial that is text": said("serial", "5"),
    "a serial that is true": said("serial", True),
    "a serial with a fraction": said("serial", 5.0),
    "a serial that is null": said("serial", None),
    "a URL that climbs": said("url", "/courses/../etc"),
    "a URL with a line break": said("url", "/a\nb"),
    "a URL that is no path": said("url", "https://evil.example/"),
    "no environments": said("environments", []),
    "environments twice": said("environments", ["STAGING", "STAGING"]),
    "environments in another order": said("environments", ["STAGING", "MIRROR"]),
    "an environment in small letters": said("environments", ["staging"]),
    "all environments": said("environments", ["*"]),
    "an end without a zone": said("expires", "2099-01-01T00:00:00"),
    "an end beyond all": said("expires", "9999-01-01T00:00:00Z"),
    "an end that is a number": said("expires", 4_000_000_000),
    "another kind of digest": said("slip", "md5:" + "0" * 64),
    "a short digest": said("version", "sha256:00"),
    "contents that are nothing": said("contents", ""),
    "a size that is infinite": said("size", float("inf")),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_document_is_refused_whatever_it_would_say(name: str, signers: Signers) -> None:
    whole = whole_document(signers)
    MALFORMED[name](whole)
    with pytest.raises(SignatureRefused, match="G2"):
        read_signature(json.dumps(whole).encode(), "sig")


HOSTILE = {
    "nothing": b"",
    "no JSON": b"<signature/>",
    "binary": bytes(range(256)),
    "not ASCII": '{"format": "ü"}'.encode(),
    "UTF-16": "{}".encode("utf-16"),
    "a list": b"[]",
    "null": b"null",
    "a thousand brackets": b"[" * 5000,
    "nested objects": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "a number of 5,000 digits": b"9" * 5000,
    "not a number": b'{"format": NaN}',
    "too long by one byte": b" " * (LONGEST + 1),
    "a key twice": b'{"format": "a", "format": "b"}',
    "a half surrogate": b'{"format": "\\ud800"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused(name: str) -> None:
    with pytest.raises(SignatureRefused, match="G2"):
        read_signature(HOSTILE[name], "sig")


def test_a_document_that_is_cut_anywhere_is_refused(signers: Signers) -> None:
    whole = write_signature(signers.sign(DOCUMENT))
    for cut in range(len(whole) - 2):
        with pytest.raises(SignatureRefused, match="G2"):
            read_signature(whole[:cut], "sig")


def test_no_flipped_bit_of_the_document_is_believed(signers: Signers) -> None:
    """Whatever still can be read is either the same statement or refused."""
    signed = signers.sign(DOCUMENT)
    whole, believed = write_signature(signed), trust(signers)
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        try:
            statement = judge(replace(SLIP, signature=changed), believed)
        except SignatureRefused:
            continue
        assert statement == signed.statement


def test_the_contents_say_more_than_the_version() -> None:
    other = replace(SLIP, resources=(replace(SLIP.resources[0], kind=SLIP.resources[0].kind, title="x"), SLIP.resources[1]))
    assert version_of(other) == version_of(SLIP)
    assert contents_of(other) != contents_of(SLIP)


def test_a_slip_without_digests_cannot_be_signed(signers: Signers) -> None:
    with pytest.raises(SignatureRefused, match="G8"):
        signers.sign(write_slip(first(digest=None)(SLIP)))
    with pytest.raises(SignatureRefused, match="G8"):
        signers.sign(write_slip(first(size=None)(SLIP)))


def test_a_private_key_is_written_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        public = make_key(tmp_path / "key")
    finally:
        os.umask(old)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert len(public_key(public)) == 32
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "key")


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    for mode in (0o640, 0o604, 0o620):
        (tmp_path / "key").chmod(mode)
        with pytest.raises(SignatureRefused, match="can be read by others"):
            read_key(tmp_path / "key")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n", b"secret"])
def test_what_is_no_private_key_is_refused_without_a_word_of_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SignatureRefused, match="holds no private key") as refused:
        read_key(tmp_path / "key")
    assert "secret" not in str(refused.value)


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SignatureRefused, match="another kind of key"):
        read_key(tmp_path / "key")


def test_a_key_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, why in (("none", "cannot be read"), ("pipe", "not a regular file")):
        with pytest.raises(SignatureRefused, match=why):
            read_key(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["", "ed25519:", "ed25519:AAAA", "rsa:" + "A" * 44, "ed25519:" + "!" * 44, "ed25519:" + "A" * 42 + "B="]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        public_key(text)
