"""What becomes of a notice when the other side misbehaves: every fault as one of our errors, bounded, without a secret."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from config import Secrets, Settings
from notices import NoticeBusy, NoticeError, NoticeRefused, NoticeStumbled, NoticeUnreachable, Notifier
from notices.errors import NoticeBroken
from notices.letters import Letter
from notices.post import Line, retry_after
from support.certificates import certificate, serving
from support.purge_server import Asked, PurgeServer

Send = Callable[..., str]
WEBHOOK: dict[str, Any] = {
    "event": "published",
    "id": "1",
    "environment": "PRODUCTION",
    "url": "/a",
    "site": None,
    "type": None,
    "title": None,
    "version": None,
    "serial": 1,
    "paths": [],
    "whole": False,
}


@pytest.fixture
def send(tmp_path: Path, purge_server: PurgeServer) -> Send:
    """Sends one notice of any kind, as a NOTIFY task does."""
    (tmp_path / "token").write_text("s3cret\n")

    def send(order: dict[str, Any], kind: str = "webhook", **more: Any) -> str:
        secret = {"file": str(tmp_path / "token")}
        own: dict[str, Any] = {
            "webhook": {"url": f"{purge_server.url}/hook?key=s3cret", "secret": secret},
            "fastly": {"api": purge_server.url, "service": "s", "token": secret},
            "purge": {"url": purge_server.url, "header": "X-Token", "token": secret},
        }[kind]
        settings = Settings.model_validate({"notices": {"n": {"kind": kind, "timeout": 5, **own, **more}}})
        return Notifier(settings.notices, Secrets({})).send("n", order)

    return send


def purge(*urls: str, **more: Any) -> dict[str, Any]:
    return {"site": None, "urls": list(urls), **more}


def test_one_url_that_a_cache_stumbles_over_is_no_outage(send: Send, purge_server: PurgeServer) -> None:
    purge_server.status = lambda asked: 500 if asked.path == "/bad" else 200
    with pytest.raises(NoticeStumbled, match="answered 500"):
        send(purge("/good", "/bad"), "purge")
    assert purge_server.urls() == ["/good", "/slipway-notice-test"]
    purge_server.status = lambda asked: 500 if b"bad" in asked.body else 200
    with pytest.raises(NoticeStumbled, match="answered 500"):
        send({"keys": ["bad"]}, "fastly")
    assert purge_server.purged_keys() == ["slipway-notice-test"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (500, "webhook", NoticeStumbled),
        (500, "fastly", NoticeBroken),
        (501, "purge", NoticeBroken),
        (502, "webhook", NoticeUnreachable),
        (503, "purge", NoticeUnreachable),
        (408, "webhook", NoticeUnreachable),
        (429, "fastly", NoticeBusy),
        (400, "webhook", NoticeRefused),
        (401, "fastly", NoticeRefused),
        (403, "purge", NoticeRefused),
        (404, "webhook", NoticeRefused),
        (405, "purge", NoticeRefused),
        (302, "webhook", NoticeRefused),
    ],
)
def test_each_answer_becomes_what_the_queue_can_work_with(
    send: Send, purge_server: PurgeServer, status: int, kind: str, error: type[NoticeError]
) -> None:
    purge_server.status = status
    orders = {"webhook": WEBHOOK, "fastly": {"keys": ["a"]}, "purge": purge("/a")}
    with pytest.raises(NoticeError) as caught:
        send(orders[kind], kind)
    assert type(caught.value) is error
    assert str(status) in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "/hook" not in str(caught.value)


def test_a_wait_that_is_asked_for_is_handed_on(send: Send, purge_server: PurgeServer) -> None:
    purge_server.status, purge_server.headers = 503, {"Retry-After": "120"}
    with pytest.raises(NoticeBusy, match="asks to wait 120 s") as caught:
        send(WEBHOOK)
    assert caught.value.retry_after == 120


def test_waits_are_read_as_numbers_and_dates_and_never_believed_beyond_an_hour() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < (retry_after({"Retry-After": soon}) or 0) <= 100
    assert retry_after({"Retry-After": "999999"}) == 3600
    assert retry_after({"Retry-After": "later"}) is None
    assert retry_after({}) is None


def test_a_cache_that_does_not_have_a_page_has_nothing_to_drop(send: Send, purge_server: PurgeServer) -> None:
    purge_server.status = lambda asked: 404 if asked.path == "/a" else 200
    assert send(purge("/a", "/b"), "purge") == "purged 2 URLs"


def test_redirects_are_not_followed(send: Send, purge_server: PurgeServer, second_server: PurgeServer) -> None:
    purge_server.status, purge_server.headers = 307, {"Location": second_server.url}
    with pytest.raises(NoticeRefused, match="redirects are not followed"):
        send(WEBHOOK)
    assert not second_server.seen


def test_nobody_at_the_door_is_unreachable(send: Send, purge_server: PurgeServer) -> None:
    purge_server.stop()
    with pytest.raises(NoticeUnreachable, match="does not answer"):
        send(WEBHOOK)


def test_a_name_that_nobody_knows_is_unreachable(send: Send) -> None:
    with pytest.raises(NoticeUnreachable, match=r"name cannot be resolved|does not answer"):
        send(WEBHOOK, url="http://nowhere.invalid/")


def test_a_server_that_never_answers_is_given_up(send: Send, purge_server: PurgeServer) -> None:
    purge_server.hang = 30
    with pytest.raises(NoticeUnreachable, match="no answer within the time-out"):
        send(WEBHOOK, timeout=0.2)


def test_an_answer_that_drips_is_cut_off(send: Send, purge_server: PurgeServer) -> None:
    purge_server.answer, purge_server.drip = b"x" * 1000, 0.05
    began = time.monotonic()
    with pytest.raises(NoticeUnreachable, match="no answer within the time-out"):
        send(WEBHOOK, timeout=0.3)
    assert time.monotonic() - began < 30


def test_an_endless_answer_is_not_read(send: Send, purge_server: PurgeServer) -> None:
    purge_server.answer = b"x" * 5_000_000
    assert send(purge("/a", "/b"), "purge") == "purged 2 URLs"


def test_a_connection_that_breaks_off_is_unreachable(send: Send, purge_server: PurgeServer) -> None:
    purge_server.status = 0
    with pytest.raises(NoticeUnreachable, match="does not answer"):
        send(WEBHOOK)


def test_a_kept_connection_that_was_closed_is_opened_again(send: Send, purge_server: PurgeServer) -> None:
    cut: list[str] = []

    def once(asked: Asked) -> int:
        if asked.path == "/b" and not cut:
            cut.append(asked.path)
            return 0
        return 200

    purge_server.status = once
    assert send(purge("/a", "/b", "/c"), "purge") == "purged 3 URLs"
    assert purge_server.urls() == ["/a", "/b", "/c"]


def test_a_certificate_is_verified(tmp_path: Path, send: Send) -> None:
    pem = certificate(tmp_path, until=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2))
    server = PurgeServer(tls=serving(pem))
    try:
        with pytest.raises(NoticeRefused, match=r"certificate of https://127\.0\.0\.1:.* is refused"):
            send(WEBHOOK, url=server.url)
        assert not server.seen
        assert send(WEBHOOK, url=server.url, ca_file=str(pem)) == "told by a webhook: published /a"
    finally:
        server.stop()


def test_a_file_without_certificates_is_named(tmp_path: Path, send: Send) -> None:
    (tmp_path / "ca").write_text("no certificate")
    with pytest.raises(NoticeRefused, match=r"ca_file .* cannot be used"):
        send(WEBHOOK, url="https://127.0.0.1:1", ca_file=str(tmp_path / "ca"))


def test_a_secret_that_no_header_can_carry_is_not_repeated(tmp_path: Path, send: Send) -> None:
    (tmp_path / "token").write_text("sécret\n")
    with pytest.raises(NoticeRefused, match="cannot be sent") as caught:
        send({"keys": ["a"]}, "fastly")
    assert "cret" not in str(caught.value).replace("secret", "")
    assert send(WEBHOOK)


def test_a_row_of_another_kind_says_what_to_do(send: Send) -> None:
    with pytest.raises(NoticeRefused, match="publish the module again with mode full"):
        send({"keys": []}, "purge")


def test_a_notice_that_is_no_more_says_so() -> None:
    with pytest.raises(NoticeRefused, match="not configured any more"):
        Notifier({}, Secrets({})).send("n", WEBHOOK)


def test_a_cache_without_an_address_says_so(send: Send) -> None:
    with pytest.raises(NoticeRefused, match="nobody says which host"):
        send(purge("/a"), "purge", url=None)


def test_a_purge_goes_to_the_site_itself_where_no_cache_is_named(send: Send, purge_server: PurgeServer) -> None:
    site = f"{purge_server.url}/folder"
    assert send({"site": site, "urls": ["/a"]}, "purge", url=None, soft=True, header=None, token=None)
    [asked] = purge_server.asked
    assert (asked.path, asked.headers["Fastly-Soft-Purge"]) == ("/folder/a", "1")


def test_nothing_to_purge_asks_nobody(send: Send, purge_server: PurgeServer) -> None:
    assert send(purge(), "purge") == "purged 0 URLs"
    assert not purge_server.seen


def test_hundreds_of_keys_go_in_several_requests(send: Send, purge_server: PurgeServer) -> None:
    keys = [f"k{number}" for number in range(300)]
    send({"keys": keys}, "fastly", soft=False)
    assert purge_server.purged_keys() == keys
    assert len(purge_server.asked) == 2
    assert "Fastly-Soft-Purge" not in purge_server.asked[0].headers


def test_a_line_can_be_closed_before_it_was_used() -> None:
    line = Line("notice n", "http://127.0.0.1:1", 1)
    line.close()
    with pytest.raises(NoticeUnreachable):
        line.send(Letter("http://127.0.0.1:1", "/"))


@pytest.mark.parametrize(
    "words", [b"220 mail.example.edu ESMTP\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b""]
)
def test_a_server_that_speaks_no_http_is_unreachable_and_its_echo_is_not_repeated(send: Send, words: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def babble() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = connection.recv(10_000)
                connection.sendall(words + asked)

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(NoticeUnreachable, match="does not answer: what it sends is no HTTP") as caught:
            send(WEBHOOK, url=f"http://127.0.0.1:{listener.getsockname()[1]}/s3cret")
        thread.join(10)
        assert "s3cret" not in str(caught.value)
