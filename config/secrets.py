"""Reading secrets at the moment they are needed; nothing else in Slipway ever holds one."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from config.section import Secret

MASK = "***"
PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+@")
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
                f"the secret from {place_of(secret)} needs $CREDENTIALS_DIRECTORY, which systemd sets with LoadCredential="
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


def without_password(text: str) -> str:
    """The text with the passwords of all URLs in it masked."""
    return PASSWORD.sub(rf"\1:{MASK}@", text)


def place_of(secret: Secret) -> str:
    """Where a secret is, for people. Of a command only the program: its arguments could tell something."""
    if secret.command:
        return f"command {secret.command[0]}"
    return f"file {secret.file}" if secret.file is not None else f"credential {secret.credential}"
