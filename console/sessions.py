"""Signed values: the session's cookie, the word for the next page, and the token that a change must bring.

Nothing is kept on the server but the key and what was signed out, both in the state directory: a session is what its cookie says,
if the signature is ours.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

KEY_BYTES = 32
KEY_FILE = "console.key"
ENDED_FOLDER = "console.ended"
ID = re.compile(r"[0-9a-f]{16}")
"""What a session is called."""
LONGEST = 4096
"""Characters of a cookie, as browsers keep them."""


class Ended:
    """Sessions that were signed out, until their cookies' time is over anyhow: an empty file for each, of that time.

    They lie beside the key. So every console that takes the cookie knows of it, at once, and also after it was started again.
    `clock`: seconds since the epoch.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock
        self._unkept: dict[str, float] = {}

    def __contains__(self, session: str) -> bool:
        # A folder that this account may not look into holds nothing of this console's: Path.exists would raise.
        kept = ID.fullmatch(session) is not None and os.path.exists(self._folder / session)  # noqa: PTH110
        return kept or session in self._unkept

    def add(self, session: str, until: float) -> None:
        """Only who has a session can end one, so there are not more than people who signed in."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._folder / session
            file.touch(mode=0o600)
            os.utime(file, (until, until))
            self._forget()
        except OSError as error:
            # Where nothing can be written the key is not kept either, as a rule, and no cookie outlives this console.
            self._unkept[session] = until
            log.warning("signed out in this console only", folder=str(self._folder), reason=str(error))

    def _forget(self) -> None:
        for file in self._folder.iterdir():
            # Another console may be at the same.
            with suppress(FileNotFoundError):
                if file.stat().st_mtime <= self._clock():
                    file.unlink()


class Sealer:
    """Signs and checks. `clock`: seconds since the epoch."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock

    def seal(self, purpose: str, content: Mapping[str, Any], seconds: float) -> str:
        """A text that `opened` gives back, for so many seconds."""
        text = json.dumps({**content, "until": self._clock() + seconds}, ensure_ascii=False)
        body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return f"{body}.{self._mac(purpose, body)}"

    def opened(self, purpose: str, text: str | None) -> dict[str, Any] | None:
        """What was sealed for this purpose; None if it was not, or its time is over."""
        body, dot, mac = (text or "")[:LONGEST].partition(".")
        # Compared as bytes: hmac refuses text that is not ASCII, and a cookie can hold any.
        if not dot or not hmac.compare_digest(mac.encode(), self._mac(purpose, body).encode()):
            return None
        try:
            content = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (ValueError, BadBase64):
            return None
        return content if isinstance(content, dict) and content.get("until", 0) > self._clock() else None

    def token(self, subject: str) -> str:
        """The CSRF token of a session, or of a person whom a proxy names."""
        return self._mac("csrf", subject)

    def is_token(self, subject: str, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token(subject).encode())

    def digest(self, text: str) -> str:
        """Something by which to see later whether this is the same, that tells nothing about it."""
        return self._mac("digest", text)[:16]

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def kept_key(folder: Path) -> bytes:
    """The key in the state directory, made at first use, so that a restart signs nobody out; else a new one."""
    path = folder / KEY_FILE
    fresh = secrets.token_bytes(KEY_BYTES)
    with suppress(OSError):
        # Readable by its owner from the first moment; whoever has it can sign in as anybody.
        with suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(fresh)
        if not path.stat().st_mode & 0o077 and len(kept := path.read_bytes()) == KEY_BYTES:
            return kept
    return fresh
