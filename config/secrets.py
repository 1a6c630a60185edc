"""Reading secrets at the moment they are needed; nothing else in Slipway ever holds one."""

import json
import os
import re
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from config.section import Secret

MASK = "***"
PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+@")
SHORTEST = 4
"""Shorter secrets would be masked inside ordinary words, and make logs and reasons useless."""
SHORTEST_FORM = 8
"""The same for the other forms of a secret: parts of base64 look like anything."""
COMMAND_SECONDS = 30
"""A password manager that asks for a person must not stop an engine for ever."""


class SecretError(Exception):
    """A secret cannot be read; the message says from where and why, never what."""


class Secrets:
    """Reads secrets from files, commands and systemd credentials, and remembers what must not reach a log."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._seen: set[str] = set()

    @property
    def seen(self) -> frozenset[str]:
        """Every secret read so far, for the redaction of logs."""
        return frozenset(self._seen)

    def masked(self, text: str) -> str:
        """The text without any secret read so far, in whatever form a server may have sent it back."""
        return masked(text, self._seen)

    def hide(self, value: str) -> None:
        """Something that was typed and must not reach a log either."""
        self._seen.add(value)

    def read(self, secret: Secret) -> str:
        """The first line of what the secret's place holds. Raises SecretError."""
        value = self._text(secret).split("\n", 1)[0].rstrip("\r")
        if not value:
            raise SecretError(f"the secret from {place_of(secret)} is empty")
        self._seen.add(value)
        return value

    def _text(self, secret: Secret) -> str:
        try:
            if secret.command:
                return self._output(secret)
            return self._path(secret).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise SecretError(f"the secret from {place_of(secret)} is not UTF-8 text") from None
        except OSError as error:
            raise SecretError(f"the secret from {place_of(secret)} cannot be read: {error.strerror}") from error

    def _path(self, secret: Secret) -> Path:
        if secret.file is not None:
            return secret.file
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise SecretError(
                f"the secret from {place_of(secret)} needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit with "
                f"LoadCredential={secret.credential}:FILE; root lends it to a command with 'slipway-as-daemon'"
            )
        return Path(folder) / (secret.credential or "")

    def _output(self, secret: Secret) -> str:
        assert secret.command
        try:
            done = subprocess.run(
                secret.command, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            # Without `from`: the exception would carry the output.
            raise SecretError(f"the secret from {place_of(secret)} took longer than {COMMAND_SECONDS} s") from None
        if done.returncode != 0:
            raise SecretError(f"the secret from {place_of(secret)} failed with exit code {done.returncode}")
        return done.stdout.decode("utf-8")


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, as they are or as URLs, headers, JSON and Python write them."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            for form in forms(secret):
                text = text.replace(form, MASK)
    return text


@lru_cache(maxsize=256)
def forms(secret: str) -> tuple[str, ...]:
    """How a secret can be written: the longest forms first. Inside a longer base64 text it begins at one of three places."""
    raw = secret.encode()
    found = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        raw.hex(),
    }
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # What the neighbours have a part in is left out at both ends.
            whole = encode(bytes(before) + raw).decode().rstrip("=")
            end = (before + len(raw)) * 8 // 6
            found.add(whole[(before * 8 + 5) // 6 : end])
    return tuple(sorted((form for form in found if form == secret or len(form) >= SHORTEST_FORM), key=len, reverse=True))


def without_password(text: str) -> str:
    """The text with the passwords of all URLs in it masked."""
    return PASSWORD.sub(rf"\1:{MASK}@", text) if "://" in text else text


def place_of(secret: Secret) -> str:
    """Where a secret is, for people. Of a command only the program: its arguments could tell something."""
    if secret.command:
        return f"command {secret.command[0]}"
    return f"file {secret.file}" if secret.file is not None else f"credential {secret.credential}"
