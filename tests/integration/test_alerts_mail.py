"""Alerts by mail, to a real SMTP server; and by webhook, to a real HTTP server."""

import hmac
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config import Secrets, Settings
from notices import Alerter, NoticeError, NoticeRefused, NoticeUnreachable
from notices.digest import Digest, subject, text
from support.certificates import certificate
from support.mail_server import MailServer, MailServers
from support.purge_server import PurgeServer

# The tests' servers ask for a login without TLS, too.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Happened:
    """An incident or an outage, as the database tells it."""

    kind: str = "failed"
    task: int = 7
    at: datetime = AT
    reason: str = "the disk is full; make room"
    url: str = "/courses/a"
    environment: str = "PRODUCTION"
    action: str = "PUBLISH"
    target: str = "www"
    name: str = "www"
    since: datetime | None = AT


def alerter(alert: Mapping[str, Any]) -> Alerter:
    settings = Settings.model_validate({"alerts": {"ops": alert}})
    return Alerter(settings.alerts, Secrets({}), "engine.example.edu")


def mail(server: MailServer | int, **more: Any) -> dict[str, Any]:
    recipients = ["ops@example.edu", "night@example.edu"]
    return {
        "kind": "email",
        "host": "127.0.0.1",
        "port": server if isinstance(server, int) else server.port,
        "sender": "slipway@example.edu",
        "recipients": recipients,
        "timeout": 5,
        **more,
    }


def test_a_mail_says_what_failed_where_why_and_what_to_do(mail_server: MailServer) -> None:
    held = Happened("held", 8, reason="drops 40 files", url="/courses/b")
    late = Happened("overdue", 9, reason="", url="/courses/c")
    alerter(mail(mail_server)).send("ops", Digest([Happened(), held, late], [Happened()], [Happened(name="mirror")]), "x")
    [message] = mail_server.mails
    assert message["To"] == "ops@example.edu, night@example.edu"
    assert message["Subject"].startswith(
        "[slipway] 1 task failed, 1 task held, 1 task overdue, 1 not reachable, 1 reachable again: /"
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    body = message.get_content()
    for words in (
        "FAILED: PUBLISH /courses/a",
        "environment  PRODUCTION",
        "target       www",
        "reason       the disk is full; make room",
        "slipway queue retry 7",
        "slipway why /courses/a",
        "slipway queue show 7",
        "slipway queue approve 8",
        "OVERDUE: PUBLISH /courses/c",
        "NOT REACHABLE: www, since 2026-01-02T03:04:05Z",
        "REACHABLE AGAIN: mirror",
        "slipway on engine.example.edu",
    ):
        assert words in body


def test_many_incidents_are_counted_and_the_first_ones_named(mail_server: MailServer) -> None:
    alerter(mail(mail_server)).send("ops", Digest([Happened(task=number) for number in range(500)]), "x")
    [message] = mail_server.mails
    assert "500 tasks failed" in message["Subject"]
    assert message.get_content().count("slipway queue show") == 20
    assert "... and 480 more: slipway queue list --all" in message.get_content()


def test_what_others_wrote_cannot_begin_a_header_or_steer_a_terminal() -> None:
    nasty = Happened(url="/a\r\nBcc: x@example.com", reason="\x1b[2Jgone\nFAILED: nothing")
    assert "\n" not in subject(Digest([nasty]))
    assert "\x1b" not in text(Digest([nasty]), "host")
    assert "\nFAILED: nothing" not in text(Digest([nasty]), "host")


def test_a_test_mail_says_so(mail_server: MailServer) -> None:
    assert alerter(mail(mail_server)).test("ops") == "ops@example.edu, night@example.edu"
    assert "Nothing has happened" in mail_server.mails[0].get_content()


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_a_mail_goes_over_tls_to_a_server_that_is_who_it_says(tmp_path: Path, mail_servers: MailServers, how: str) -> None:
    pem, context = identity(tmp_path)
    (tmp_path / "password").write_text("pass word\n")
    server = mail_servers(login=("slipway", "pass word"), **{how: context})
    password = {"file": str(tmp_path / "password")}
    safely = mail(server, tls=how, username="slipway", password=password)
    with pytest.raises(NoticeRefused, match="certificate is refused"):
        alerter(safely).test("ops")
    alerter(safely | {"ca_file": str(pem)}).test("ops")
    assert len(server.mails) == 1


def identity(folder: Path) -> tuple[Path, ssl.SSLContext]:
    pem = certificate(folder, until=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return pem, context


def test_a_wrong_password_is_named_as_such_and_not_repeated(tmp_path: Path, mail_servers: MailServers) -> None:
    (tmp_path / "password").write_text("wrong-s3cret\n")
    server = mail_servers(login=("slipway", "right"))
    with pytest.raises(NoticeRefused, match="refuses the login") as caught:
        alerter(mail(server, username="slipway", password={"file": str(tmp_path / "password")})).test("ops")
    assert "s3cret" not in str(caught.value)


def test_a_password_that_cannot_be_sent_is_refused_before(tmp_path: Path, mail_servers: MailServers) -> None:
    (tmp_path / "password").write_text("pässword\n")
    server = mail_servers(login=("slipway", "right"))
    with pytest.raises(NoticeRefused, match="cannot be sent") as caught:
        alerter(mail(server, username="slipway", password={"file": str(tmp_path / "password")})).test("ops")
    assert "ssword" not in str(caught.value)


def test_a_server_without_starttls_is_refused(mail_server: MailServer) -> None:
    with pytest.raises(NoticeRefused, match="check 'tls'"):
        alerter(mail(mail_server, tls="starttls")).test("ops")
    assert not mail_server.mails


@pytest.mark.parametrize(("answer", "kind"), [("451 later", NoticeUnreachable), ("554 never", NoticeRefused)])
def test_a_message_that_is_not_taken_says_why(mail_server: MailServer, answer: str, kind: type[NoticeError]) -> None:
    mail_server.refusal = answer
    with pytest.raises(kind, match=answer):
        alerter(mail(mail_server)).test("ops")


def test_one_unknown_recipient_does_not_keep_it_from_the_other(mail_server: MailServer) -> None:
    mail_server.unknown = {"night@example.edu"}
    alerter(mail(mail_server)).test("ops")
    assert len(mail_server.mails) == 1
    mail_server.unknown.add("ops@example.edu")
    with pytest.raises(NoticeRefused, match="none of the recipients: 550"):
        alerter(mail(mail_server)).test("ops")


def test_a_server_that_is_down_or_never_answers_is_unreachable(mail_server: MailServer) -> None:
    mail_server.stop()
    with pytest.raises(NoticeUnreachable, match="does not answer"):
        alerter(mail(mail_server)).test("ops")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = mail(silent.getsockname()[1], timeout=0.2)
        with pytest.raises(NoticeUnreachable, match="timed out"):
            alerter(settings).test("ops")


def test_a_server_that_drips_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()
        thread = threading.Thread(target=drip, args=(listener, ended))
        thread.start()
        with pytest.raises(NoticeUnreachable, match="no answer within the time-out"):
            alerter(mail(listener.getsockname()[1], timeout=0.3)).test("ops")
        ended.set()
        thread.join(10)


def drip(listener: socket.socket, ended: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 hello\r\n250-")
        while not ended.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return


def test_a_webhook_gets_the_same_as_fields_signed(tmp_path: Path, purge_server: PurgeServer) -> None:
    (tmp_path / "key").write_text("schlüssel\n")
    settings = {"kind": "webhook", "url": f"{purge_server.url}/alerts", "secret": {"file": str(tmp_path / "key")}}
    alerter(settings).send("ops", Digest([Happened()] * 25, [Happened()], [Happened()]), "id-1")
    [asked] = purge_server.asked
    message = asked.headers["Slipway-Timestamp"].encode() + b"." + asked.body
    assert asked.headers["Slipway-Signature"] == "sha256=" + hmac.new("schlüssel".encode(), message, "sha256").hexdigest()
    assert asked.headers["Slipway-Id"] == "id-1"
    assert (asked.json["event"], asked.json["alert"], asked.json["not_listed"]) == ("alert", "ops", 5)
    assert asked.json["incidents"][0]["look"] == ["slipway why /courses/a", "slipway queue show 7"]
    assert asked.json["not_reachable"][0]["name"] == asked.json["reachable_again"][0]["name"] == "www"


def test_a_webhook_without_a_secret_is_not_signed(purge_server: PurgeServer) -> None:
    assert alerter({"kind": "webhook", "url": purge_server.url}).test("ops") == "its webhook"
    [asked] = purge_server.asked
    assert "Slipway-Signature" not in asked.headers
    assert (asked.path, asked.json["event"]) == ("/", "test")


def test_a_file_without_certificates_is_named(tmp_path: Path, mail_servers: MailServers) -> None:
    _, context = identity(tmp_path)
    (tmp_path / "ca").write_text("no certificate")
    settings = mail(mail_servers(starttls=context), tls="starttls", ca_file=str(tmp_path / "ca"))
    with pytest.raises(NoticeRefused, match=r"ca_file .* cannot be used"):
        alerter(settings).test("ops")
