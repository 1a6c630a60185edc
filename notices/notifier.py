"""Telling somebody by the name of a notice: reads the secret, writes the letters, sends them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import time
from typing import Any, NoReturn, Protocol

from config import NoticeSettings, Secret, WebhookNotice
from notices.errors import NoticeBroken, NoticeRefused, NoticeStumbled, NoticeUnreachable
from notices.letters import Letter, harmless, letters, secret_of


class ReadsSecrets(Protocol):
    """Where a secret's value comes from."""

    def read(self, secret: Secret, /) -> str: ...


def _on() -> None:
    """Go on, whatever happens."""


class Notifier:
    """Sends notices. For any thread: each call has a connection of its own. `clock` gives seconds since the epoch."""

    def __init__(self, notices: Mapping[str, NoticeSettings], secrets: ReadsSecrets, clock: Callable[[], float] = time) -> None:
        self._notices, self._secrets, self._clock = notices, secrets, clock

    def send(self, name: str, order: Mapping[str, Any], pause: Callable[[], None] = _on) -> str:
        """Send what the row of a NOTIFY says; what was done, in a few words. `pause` is called between two requests.

        Raises NoticeError, SecretError.
        """
        if name not in self._notices:
            raise NoticeRefused(f"notice {name} is not configured any more; without it there is nobody to tell")
        notice = self._notices[name]
        secret, now = self._secret(name, notice), self._clock()
        written = letters(name, notice, order, secret, now)
        try:
            send_all(f"notice {name}", written, notice.timeout, notice.ca_file, pause)
        except NoticeBroken as error:
            self._try_another(name, notice, harmless(name, notice, order, secret, now), error)
        return _words(written, order)

    def _try_another(self, name: str, notice: NoticeSettings, other: list[Letter], error: NoticeBroken) -> NoReturn:
        """One message that nobody can take must not keep all the others waiting for ever: that is no outage."""
        try:
            send_all(f"notice {name}", other, notice.timeout, notice.ca_file)
        except NoticeUnreachable:
            raise error from None
        raise NoticeStumbled(f"{error} (to this message; it may take others)") from error

    def _secret(self, name: str, notice: NoticeSettings) -> str | None:
        place = secret_of(notice)
        if place is None:
            return None
        secret = self._secrets.read(place)
        # A webhook's key only signs; it is never sent.
        return secret if isinstance(notice, WebhookNotice) else sendable(f"notice {name}", secret)


def send_all(who: str, written: list[Letter], timeout: float, ca_file: Path | None, pause: Callable[[], None] = _on) -> None:
    """Send letters to one host, in their order. Raises NoticeError at the first that is not taken."""
    if not written:
        return
    # Imported here: HTTP and TLS are for those who have something to tell.
    from notices.post import Line  # noqa: PLC0415

    line = Line(who, written[0].base, timeout, ca_file)
    try:
        for letter in written:
            pause()
            line.send(letter)
    finally:
        line.close()


def sendable(who: str, secret: str) -> str:
    """The secret, if it can be sent. Raises NoticeRefused, which does not repeat it."""
    if not (secret.isascii() and secret.isprintable()):
        raise NoticeRefused(f"{who}: its secret has characters that cannot be sent; is it the right file?")
    return secret


def _words(written: list[Letter], order: Mapping[str, Any]) -> str:
    if "keys" in order:
        return f"purged by key: {', '.join(order['keys'])}"
    if "urls" in order:
        return f"purged {len(written)} URLs" + (f" and all below {order['prefix']}" if "prefix" in order else "")
    return f"told by a webhook: {order['event']} {order['url']}"
