"""The password file: lines `name:role:scrypt$N$r$p$salt$hash`, as `slipway console password` makes them."""

import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from console.errors import ConsoleRefused
from console.people import Role, role_of

COST, BLOCK, LANES = 2**15, 8, 3
"""32 MiB and three rounds for each try: one of the strengths that OWASP's Password Storage Cheat Sheet recommends."""
MEMORY = 64 * 2**20
SALT, LENGTH, SHORTEST = 16, 32, 16
HASH = re.compile(r"scrypt\$([0-9]{1,9})\$([0-9]{1,9})\$([0-9]{1,9})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
LONGEST = 1024
"""Characters of a password."""


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the file."""

    name: str
    role: Role
    hash: str


def line_of(name: str, role: Role, password: str, salt: bytes | None = None) -> str:
    """The line for the file. Raises ValueError for a name that cannot stand in it."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for the password file: letters, digits and . _ @ -, at most 64")
    salt = secrets.token_bytes(SALT) if salt is None else salt
    hashed = _scrypt(password, salt, COST, BLOCK, LANES, LENGTH)
    return f"{name}:{role.word}:scrypt${COST}${BLOCK}${LANES}${b64encode(salt).decode()}${b64encode(hashed).decode()}"


def fits(password: str, hashed: str) -> bool:
    """Whether this is the password behind a hash."""
    _, cost, block, lanes, salt, expected = hashed.split("$")
    wanted = b64decode(expected)
    found = _scrypt(password, b64decode(salt), int(cost), int(block), int(lanes), len(wanted))
    return hmac.compare_digest(found, wanted)


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int, length: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=MEMORY, dklen=length)


def read_accounts(path: Path) -> dict[str, Account]:
    """The accounts in a file, by name. Raises ConsoleRefused for one that others can read or change, or with a faulty line."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        if isinstance(error, FileNotFoundError):
            why = "there is no such file; 'slipway console password NAME --role ROLE --write' makes it"
        raise ConsoleRefused(f"console.passwords: {path} cannot be read: {why}") from error
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConsoleRefused(
            f"console.passwords: {path} can be read by everybody, or changed by others (mode {stat.S_IMODE(mode):04o}): chmod 640"
        )
    found: dict[str, Account] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            account = _account(line)
            if account is None or account.name in found:
                fault = "is not name:role:scrypt$..." if account is None else f"is a second line for {account.name}"
                raise ConsoleRefused(f"console.passwords: line {number} of {path} {fault}; 'slipway console password' makes one")
            found[account.name] = account
    return found


def _account(line: str) -> Account | None:
    name, _, rest = line.strip().partition(":")
    word, _, hashed = rest.partition(":")
    role = role_of(word)
    if not NAME.fullmatch(name) or role is None or not _can_be_tried(hashed):
        return None
    return Account(name, role, hashed)


def _can_be_tried(hashed: str) -> bool:
    """Whether scrypt takes it: what it refuses would be found out by whoever signs in, and a short hash fits many passwords."""
    if not (found := HASH.fullmatch(hashed)):
        return False
    cost, block, lanes = (int(found[place]) for place in (1, 2, 3))
    try:
        b64decode(found[4], validate=True)
        wanted = b64decode(found[5], validate=True)
    except BadBase64:
        return False
    possible = cost > 1 and cost & (cost - 1) == 0 and block > 0 and lanes > 0
    return possible and 128 * block * (cost + lanes + 2) <= MEMORY and len(wanted) >= SHORTEST


def keep_line(path: Path, line: str) -> None:
    """Put a line into the file, in place of that person's older one. Raises ConsoleRefused.

    The file stays whose it was. A new one that root makes belongs to whom its folder belongs: root's own nobody else could read.
    """
    name = line.partition(":")[0]
    lines: list[str] = []
    if path.exists():
        # What is faulty or unsafe is told before it is made longer.
        read_accounts(path)
        lines = path.read_text(encoding="utf-8").splitlines()
    kept = [each for each in lines if each.partition(":")[0].strip() != name]
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        before = path.stat() if path.exists() else None
        owner = before or (path.parent.stat() if os.geteuid() == 0 else None)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join([*kept, line]) + "\n")
            if owner is not None:
                # The console must be able to read it although another account wrote it.
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            if before is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise ConsoleRefused(f"console.passwords: {path} cannot be written: {error.strerror}") from error


NOBODY = f"scrypt${COST}${BLOCK}${LANES}${b64encode(bytes(SALT)).decode()}${b64encode(bytes(LENGTH)).decode()}"
"""What the password of an unknown name is tried on, so that the time of an answer does not tell which names there are."""


class PasswordFile:
    """The file as it is now: read again when it changed, so that who leaves is out at once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._accounts: Mapping[str, Account] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def account(self, name: str) -> Account | None:
        """Raises ConsoleRefused when the file is not what it must be."""
        return self._current().get(name)

    def sign_in(self, name: str, password: str) -> Account | None:
        """The account, if this is its password. One at a time: each try takes memory and a tenth of a second."""
        account = self.account(name)
        with self._turn:
            good = fits(password[:LONGEST], account.hash if account else NOBODY)
        return account if good else None

    def _current(self) -> Mapping[str, Account]:
        if self._path is None:
            return {}
        with self._lock:
            stamp = _stamp(self._path)
            if stamp is None or stamp != self._stamp:
                self._accounts, self._stamp = read_accounts(self._path), stamp
            return self._accounts


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one call, no object for each request
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_mode
