"""Ed25519 keys and signatures. The library is imported when there is something to sign or to verify: most only read slips."""

import os
import stat
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from packageslip.errors import SignatureRefused
from packageslip.statement import Signed, Statement, canonical, contents_of
from packageslip.values import Packageslip
from packageslip.version import version_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KIND = "ed25519:"
_LONGEST_KEY = 16 * 1024


def make_key(path: Path) -> str:
    """Write a new private key to a file that nobody else can read, and that is not there yet; the public key. Raises OSError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        # The umask may have taken bits, never given any.
        os.fchmod(descriptor, 0o600)
        stream.write(text)
    return write_public(_raw(key))


def read_key(path: Path) -> "Ed25519PrivateKey":
    """A private key from its file. Raises SignatureRefused (G0) for a file that others may read, or that holds no such key."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    text = _private(path)
    try:
        key = load_pem_private_key(text, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's words could quote the file.
        raise SignatureRefused(f"{path} holds no private key that can be read (PEM, without a passphrase)", "G0") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureRefused(f"{path} holds another kind of key; 'slipway slip keygen' makes an Ed25519 one", "G0")
    return key


def sign(
    slip: Packageslip, document: bytes, keys: Sequence[Path], *, serial: int, expires: int, environments: Sequence[str]
) -> Signed:
    """A statement over a slip and its document, signed by the keys in these files.

    Raises SignatureRefused: G0 for keys, G8 for a slip whose files lack sizes or digests.
    """
    version = version_of(slip)
    if version is None or any(resource.size is None for resource in slip.resources):
        raise SignatureRefused(
            f"the slip of {slip.url} lists files without size and digest; a signature would not cover them", "G8"
        )
    names = tuple(sorted(set(environments)))
    whole = sha256(document).digest()
    statement = Statement(slip.url, serial, expires, names, whole, len(document), version, contents_of(slip))
    signers = {key_id_of(key): key for key in map(read_key, keys)}
    return Signed(statement, tuple((name, key.sign(canonical(statement))) for name, key in sorted(signers.items())))


def is_signed_by(key: bytes, statement: Statement, signature: bytes) -> bool:
    """Whether the owner of this public key made the signature."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(statement))
    except InvalidSignature:
        return False
    return True


def public_key(text: str) -> bytes:
    """The 32 bytes of `ed25519:BASE64`. Raises ValueError."""
    try:
        key = b64decode(text.removeprefix(_KIND), validate=True) if text.startswith(_KIND) else b""
    except BadBase64:
        key = b""
    if len(key) != 32 or write_public(key) != text:
        raise ValueError("must be a public key as 'slipway slip keygen' prints it: ed25519: and 44 characters")
    return key


def write_public(key: bytes) -> str:
    """The written form of a public key."""
    return _KIND + b64encode(key).decode()


def key_id_of(key: "Ed25519PrivateKey") -> str:
    """The id of a private key's public half."""
    return f"{_KIND}{sha256(_raw(key)).hexdigest()[:16]}"


def _raw(key: "Ed25519PrivateKey") -> bytes:
    return key.public_key().public_bytes_raw()


def _private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SignatureRefused(f"the key {path} cannot be read: {error.strerror}", "G0") from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SignatureRefused(f"the key {path} is not a regular file", "G0")
        if status.st_mode & 0o077 or status.st_uid not in {os.geteuid(), 0}:
            raise SignatureRefused(f"the key {path} can be read by others: 'chmod 600' it, and make it yours", "G0")
        return stream.read(_LONGEST_KEY)
