"""Sending a mail: TLS verified where it is used, bounded in time, every failure as one of our errors."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from config import EmailAlert
from notices.cut import within
from notices.errors import NoticeError, NoticeRefused, NoticeUnreachable
from notices.post import reason_of, tls

STEPS = 4
"""All exchanges of a mail together may take so many times `timeout`."""


def compose(settings: EmailAlert, subject: str, body: str, now: datetime) -> EmailMessage:
    """The message. Says that a machine wrote it, so that no out-of-office reply comes back (RFC 3834)."""
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Subject"] = subject
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def send_mail(who: str, settings: EmailAlert, message: EmailMessage, password: str | None) -> tuple[str, ...]:
    """Hand it to the mail server; the recipients whom that refused, if it took the message for others.

    Raises NoticeError. `who`: "alert ops", for messages.
    """
    said = f"{who}: the mail server {settings.host}:{settings.port}"
    server = _server(who, settings)
    with _faults(said), within(settings.timeout * STEPS, lambda: server.sock), _leaving(server):
        server.connect(settings.host, settings.port)
        if settings.tls == "starttls":
            server.starttls(context=tls(who, settings.ca_file))
        if settings.username is not None:
            server.login(settings.username, password or "")
        return tuple(server.send_message(message))


@contextmanager
def _faults(said: str) -> Iterator[None]:
    """smtplib's and the socket's errors as ours. What the server says about a login is not repeated."""
    try:
        yield
    except NoticeError:
        raise
    except smtplib.SMTPAuthenticationError as error:
        raise NoticeRefused(f"{said} refuses the login ({error.smtp_code}); check 'username' and 'password'") from None
    except smtplib.SMTPNotSupportedError as error:
        raise NoticeRefused(f"{said} cannot do what is configured: {error}; check 'tls', 'port' and 'username'") from error
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _answered(f"{said} takes the message for none of the recipients", code, words) from error
    except smtplib.SMTPResponseException as error:
        raise _answered(f"{said} does not take the message", error.smtp_code, error.smtp_error) from error
    except ssl.SSLCertVerificationError as error:
        remedy = "renew it, correct 'host', or set 'ca_file' to the authority that signed it"
        raise NoticeRefused(f"{said}: its certificate is refused: {error.verify_message}; {remedy}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise NoticeUnreachable(f"{said} does not answer: {reason_of(error)}") from error


def _answered(said: str, code: int, words: bytes | str) -> NoticeError:
    answer = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    kind = NoticeUnreachable if 400 <= code < 500 else NoticeRefused
    return kind(f"{said}: {code} {answer}")


def _server(who: str, settings: EmailAlert) -> smtplib.SMTP:
    """Not connected yet, so that the greeting, too, has to come in time."""
    context = tls(who, settings.ca_file) if settings.tls == "tls" else None
    server = smtplib.SMTP_SSL(timeout=settings.timeout, context=context) if context else smtplib.SMTP(timeout=settings.timeout)
    # What the certificate must say; smtplib knows it only from a constructor that connects.
    server._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001
    return server


@contextmanager
def _leaving(server: smtplib.SMTP) -> Iterator[None]:
    """Say QUIT after all went well. The message is taken by then: how the farewell goes does not matter."""
    try:
        yield
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()
