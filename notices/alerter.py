"""Sending alerts by the name of one: a signed POST, or a mail."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import time

import structlog

from config import AlertSettings, EmailAlert, Secret, WebhookAlert
from notices.digest import Digest, content, subject, text
from notices.letters import posted
from notices.notifier import ReadsSecrets, send_all, sendable

log = structlog.get_logger(__name__)


class Alerter:
    """Sends alerts. `host`: the machine's name, for the reader; `clock` gives seconds since the epoch."""

    def __init__(
        self, alerts: Mapping[str, AlertSettings], secrets: ReadsSecrets, host: str, clock: Callable[[], float] = time
    ) -> None:
        self._alerts, self._secrets, self._host, self._clock = alerts, secrets, host, clock

    def send(self, name: str, digest: Digest, id_: str) -> None:
        """Send one message with all of it. `id_`: the same for the same incidents. Raises NoticeError, SecretError."""
        match self._alerts[name]:
            case EmailAlert() as settings:
                self._mail(name, settings, subject(digest), text(digest, self._host))
            case WebhookAlert() as settings:
                self._post(name, settings, content(digest, name, self._host), id_)

    def test(self, name: str) -> str:
        """Send a message that says it is a test; where it went."""
        match self._alerts[name]:
            case EmailAlert() as settings:
                body = f"This is a test of the alert {name}. Nothing has happened.\n\n-- \nslipway on {self._host}\n"
                self._mail(name, settings, f"[slipway] test of the alert {name}", body)
                return ", ".join(settings.recipients)
            case WebhookAlert() as settings:
                said = {"event": "test", "alert": name, "host": self._host, "summary": "a test: nothing has happened"}
                self._post(name, settings, said, f"test-{int(self._clock())}")
                return "its webhook"

    def _mail(self, name: str, settings: EmailAlert, line: str, body: str) -> None:
        # Imported here: smtplib and the email package are for those who have a mail to send.
        from notices.mail import compose, send_mail  # noqa: PLC0415

        password = self._secret(settings.password)
        if password is not None:
            sendable(f"alert {name}", password)
        message = compose(settings, line, body, datetime.fromtimestamp(self._clock(), UTC))
        refused = send_mail(f"alert {name}", settings, message, password)
        if refused:
            log.warning("recipients of an alert refused", alert=name, recipients=refused)

    def _post(self, name: str, settings: WebhookAlert, said: Mapping[str, object], id_: str) -> None:
        key = self._secret(settings.secret)
        letter = posted(settings.url, said, str(said["event"]), id_, key, self._clock())
        send_all(f"alert {name}", [letter], settings.timeout, settings.ca_file)

    def _secret(self, place: Secret | None) -> str | None:
        return None if place is None else self._secrets.read(place)
