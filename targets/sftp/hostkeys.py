"""Which host keys are accepted for a server, decided from text alone.

The text is OpenSSH's: a `known_hosts` file (sshd(8)) or one public key. Nothing is ever learned by itself: a key that is not
listed is refused, whatever was seen before.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from targets.errors import HostKeyRefused

_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
"""A key type that signs under other names than its own; SHA-1 is not among them."""


@dataclass(frozen=True, slots=True)
class HostKeys:
    """The keys accepted for one server, the ones refused for good, and where a person changes that."""

    host: str
    place: str
    accepted: frozenset[bytes] = frozenset()
    revoked: frozenset[bytes] = frozenset()

    def check(self, seen: bytes) -> None:
        """Raise HostKeyRefused unless this key was accepted beforehand."""
        if seen in self.accepted and seen not in self.revoked:
            return
        shown = f"{_type(seen)} {fingerprint(seen)}"
        compare = "Compare it with `ssh-keygen -lf` on the server's own /etc/ssh/ssh_host_*_key.pub; only if it is the same,"
        if seen in self.revoked:
            raise HostKeyRefused(
                f"{self.host} showed a host key that {self.place} marks as revoked: {shown}. Do not connect to it."
            )
        if not self.accepted:
            raise HostKeyRefused(
                f"{self.host} is not known: no host key of it in {self.place}. It showed {shown}. {compare} add it there."
            )
        expected = ", ".join(sorted(f"{_type(key)} {fingerprint(key)}" for key in self.accepted))
        raise HostKeyRefused(
            f"the host key of {self.host} CHANGED: it showed {shown}, but {self.place} has {expected}. "
            f"Somebody may be between you and the server, or it was reinstalled. {compare} replace the key there."
        )

    def preferred(self, algorithms: Collection[str]) -> tuple[str, ...]:
        """The algorithms to ask for: those of the known keys first, so that a server with several shows the one we know."""
        known = {name for key in self.accepted for name in _ALGORITHMS.get(_type(key), (_type(key),))}
        return tuple(sorted(algorithms, key=lambda name: name not in known))


def fingerprint(key: bytes) -> str:
    """As ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def from_setting(text: str, host: str, place: str) -> HostKeys:
    """One public key, `ssh-ed25519 AAAA... comment`; a copied known_hosts line is understood too."""
    for word in text.split():
        key = _decoded(word)
        if key is not None:
            return HostKeys(host, place, frozenset([key]))
    raise HostKeyRefused(f"{place} is not a public key. It should look like: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5...")


def from_known_hosts(lines: Iterable[str], host: str, port: int, place: str) -> HostKeys:
    """The keys that a known_hosts file has for this host and port."""
    name = host.lower() if port == 22 else f"[{host.lower()}]:{port}"
    accepted, revoked = set(), set()
    for marker, patterns, key in _entries(lines):
        if not _matches(patterns, name):
            continue
        if marker == "@revoked":
            revoked.add(key)
        elif not marker:  # certificate authorities are not supported: their keys are nobody's host keys
            accepted.add(key)
    return HostKeys(host if port == 22 else name, place, frozenset(accepted), frozenset(revoked))


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, str, bytes]]:
    """Marker, host patterns and key of each line that has them; a line that has not is no key at all."""
    for line in lines:
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) >= 3 and not fields[0].startswith("#"):
            key = _decoded(fields[2])
            if key is not None and _type(key) == fields[1]:
                yield marker, fields[0], key


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hashed(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        # fnmatch knows character classes, known_hosts does not: "[" stands for itself.
        if fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _matches_hashed(pattern: str, name: str) -> bool:
    try:
        salt, expected = (base64.b64decode(part, validate=True) for part in pattern.split("|")[2:4])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), expected)


def _decoded(word: str) -> bytes | None:
    """A key's bytes; None where the word is no public key."""
    try:
        key = base64.b64decode(word, validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if _type(key) else None


def _type(key: bytes) -> str:
    """The name at the front of a key's bytes, such as ssh-ed25519; empty where there is none."""
    name = key[4 : 4 + int.from_bytes(key[:4], "big")]
    whole = len(key) > 4 + len(name) and 0 < len(name) == int.from_bytes(key[:4], "big")
    return name.decode("ascii") if whole and name.isascii() else ""
