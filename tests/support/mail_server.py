"""A real SMTP server on loopback that keeps what it is given, and refuses what it is told to."""

import email
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """`mails`: what was taken. `refusal`: the answer to every message instead, such as "451 later"; `unknown`: addresses."""

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refusal: str = ""
    unknown: set[str] = field(default_factory=set)
    mails: list[EmailMessage] = field(default_factory=list)
    attempts: int = 0

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._controller: Controller | None = None
        self.start()

    def start(self) -> None:
        """Listen, always on the same port."""
        more: dict[str, Any] = {"ssl_context": self.tls} if self.tls else {}
        more |= {"tls_context": self.starttls, "require_starttls": True} if self.starttls else {}
        if self.login:
            more |= {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": False}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **more)
        self._controller.start()

    def stop(self) -> None:
        """Connections are refused from now on."""
        if self._controller:
            self._controller.stop()
            self._controller = None

    def _authenticate(self, _server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        assert self.login
        good = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for the name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.attempts += 1
        if self.refusal:
            return self.refusal
        message = email.message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        return "250 OK"


MailServers = Callable[..., MailServer]


@pytest.fixture
def mail_servers() -> Iterator[MailServers]:
    """Servers of all sorts, stopped at the end."""
    made: list[MailServer] = []

    def start(**how: Any) -> MailServer:
        made.append(MailServer(**how))
        return made[-1]

    yield start
    for server in made:
        server.stop()


@pytest.fixture
def mail_server(mail_servers: MailServers) -> MailServer:
    """One that takes everything."""
    return mail_servers()
