"""Pages anywhere on the web, from a real server: limits, redirects, validators, and addresses that a page must not reach."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config import WebSettings
from sources import (
    AccessRefused,
    Calls,
    PermanentSourceError,
    ResourceMissing,
    SourceError,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
    Web,
    WrongBytes,
)
from sources.http import HttpSource
from sources.public import is_public, public_address
from store import Store
from support.certificates import certificate, serving
from support.http_cms import Cms, Fault, until

FEED = b"<rss><channel/></rss>"


@dataclass
class Surf:
    """A server, a store and the web as an engine has it."""

    server: Cms
    store: Store
    open: Callable[..., Web]

    def page(self, name: str, body: bytes = FEED) -> str:
        (self.server.folder / name).write_bytes(body)
        return f"{self.server.url}/{name}"


@pytest.fixture
def surf(tmp_path: Path, cms: Callable[..., Cms]) -> Iterator[Surf]:
    opened: list[Web] = []

    def open_web(**options: object) -> Web:
        settings = {"connect_timeout": 2, "read_timeout": 2, "total_timeout": 5, "allow_private": True} | options
        opened.append(Web(WebSettings.model_validate(settings)))
        return opened[-1]

    (tmp_path / "web").mkdir()
    yield Surf(cms(tmp_path / "web"), Store(tmp_path / "store"), open_web)
    for web in opened:
        web.close()


def test_a_page_is_fetched_with_its_validators_and_asked_for_anew_with_them(surf: Surf) -> None:
    web, url = surf.open(), surf.page("news.xml")
    page = web.fetch(url, surf.store)
    assert (page.url, page.size, page.unchanged) == (url, len(FEED), False)
    assert surf.store.path(page.digest).read_bytes() == FEED
    assert page.type.endswith("/xml")
    for validators in ({"etag": page.etag}, {"modified": page.modified}):
        again = web.fetch(url, surf.store, **validators)
        assert (again.unchanged, again.etag, again.modified) == (True, validators.get("etag"), validators.get("modified"))
    assert [access.status for access in surf.server.log] == [200, 304, 304]
    assert surf.server.log[0].headers["User-Agent"] == "slipway"


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault(404), ResourceMissing, "nothing at this address"),
        (Fault(403), AccessRefused, "not open to everybody"),
        (Fault(500), SourceUnreachable, "an error of the server"),
        (Fault(429, {"Retry-After": "7"}), SourceSlow, "asks to wait 7 s"),
        (Fault(304), WrongBytes, "nobody asked for"),
        (Fault(cut=3), SourceUnreachable, "could not be read"),
        (Fault(302, {"Location": "ftp://127.0.0.1/x"}), PermanentSourceError, "is no http"),
        (Fault(302, {"Location": "http://[::1"}), PermanentSourceError, "is no http"),
        (Fault(302, {"Location": "/x"}), AccessRefused, "redirected more than 5 times"),
        (Fault(302), PermanentSourceError, "answered 302"),
        (Fault(delay=4), SourceUnreachable, "within the time-out"),
        (Fault(drip=(1, 1.5)), SourceSlow, "total_timeout"),
    ],
)
def test_what_is_no_page_is_an_error_of_its_kind(surf: Surf, fault: Fault, kind: type[SourceError], words: str) -> None:
    url = surf.page("x")
    surf.server.faults["/x"] = fault
    with pytest.raises(kind, match=words) as caught:
        surf.open(total_timeout=3).fetch(url, surf.store)
    assert caught.value.source == "web"
    assert caught.value.retry_after == 7 if fault.status == 429 else True  # type: ignore[attr-defined]


def test_a_page_that_is_too_large_is_refused(surf: Surf) -> None:
    web, url = surf.open(max_file_bytes=20), surf.page("x", b"x" * 100)
    for limit in (None, 10, 1000):
        with pytest.raises(WrongBytes, match=f"more than {min(limit or 20, 20)} bytes"):
            web.fetch(url, surf.store, limit=limit)
    assert not list(surf.store.digests())


def test_redirects_are_followed_and_the_last_address_is_told(surf: Surf) -> None:
    url = surf.page("new.xml")
    surf.server.faults["/old.xml"] = Fault(301, {"Location": "new.xml"}, b"moved")
    assert surf.open().fetch(f"{surf.server.url}/old.xml", surf.store).url == url


@pytest.mark.parametrize("address", ["ftp://example.com/x", "http://me:word@127.0.0.1/", "http://", "//x", "file:///etc/passwd"])
def test_only_plain_http_addresses_are_asked(surf: Surf, address: str) -> None:
    with pytest.raises(PermanentSourceError, match="is no http"):
        surf.open().fetch(address, surf.store, trusted=True)


@pytest.mark.parametrize("address", ["http://me:word@127.0.0.1/x", "HTTPS://me:w@ord@host", "me:word@host/x"])
def test_an_account_in_an_address_is_not_repeated(surf: Surf, address: str) -> None:
    with pytest.raises(PermanentSourceError, match="correct it") as caught:
        surf.open().fetch(address, surf.store, trusted=True)
    assert "ord" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("http://nowhere.invalid/", SourceUnreachable),
        ("http://a..b/", PermanentSourceError),
        ("http://exa mple/", PermanentSourceError),
    ],
)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_host_that_does_not_exist_is_no_page(surf: Surf, address: str, kind: type[SourceError], trusted: bool) -> None:
    with pytest.raises(kind):
        surf.open(allow_private=False).fetch(address, surf.store, trusted=trusted)


def test_an_address_from_a_page_reaches_nothing_private(surf: Surf) -> None:
    web, url = surf.open(allow_private=False), surf.page("x")
    with pytest.raises(AccessRefused, match="no public address"):
        web.fetch(url, surf.store)
    with pytest.raises(AccessRefused, match="no public address"):
        web.head(url.replace("127.0.0.1", "localhost"))
    assert not surf.server.log
    assert web.fetch(url, surf.store, trusted=True).size == len(FEED)


def test_trust_does_not_follow_a_redirect_to_another_host(surf: Surf) -> None:
    surf.page("x")
    surf.server.faults["/there"] = Fault(302, {"Location": f"http://localhost:{surf.server.port}/x"})
    surf.server.faults["/here"] = Fault(302, {"Location": "/x"})
    web = surf.open(allow_private=False)
    assert web.fetch(f"{surf.server.url}/here", surf.store, trusted=True).size == len(FEED)
    with pytest.raises(AccessRefused, match="localhost is"):
        web.fetch(f"{surf.server.url}/there", surf.store, trusted=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_host_with_one_private_address_is_refused_whatever_others_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(2, 1, 6, "", ("8.8.8.8", 80)), (2, 1, 6, "", ("127.0.0.1", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_options: answers)
    with pytest.raises(AccessRefused, match=r"rebound\.example is 127\.0\.0\.1"):
        public_address("rebound.example", 80)
    answers.pop()
    assert public_address("rebound.example", 80) == "8.8.8.8"


def test_a_link_is_checked_without_its_bytes(surf: Surf) -> None:
    web, url = surf.open(), surf.page("x")
    surf.server.faults["/gone"] = Fault(404)
    surf.server.faults["/shy"] = Fault(405)
    surf.server.faults["/moved"] = Fault(301, {"Location": "/x"})
    assert [web.head(f"{surf.server.url}/{name}") for name in ("x", "gone", "shy", "moved")] == [200, 404, 405, 200]
    asked = sorted(surf.server.log, key=lambda access: access.began)
    # The server notes a request when it has answered, and the client may have asked the next one by then.
    assert [(access.method, access.path) for access in asked] == [
        ("HEAD", "/x"),
        ("HEAD", "/gone"),
        ("HEAD", "/shy"),
        ("GET", "/shy"),
        ("HEAD", "/moved"),
        ("HEAD", "/x"),
    ]
    surf.server.stop()
    with pytest.raises(SourceUnreachable):
        web.head(url)


def test_a_fetch_ends_with_its_task(surf: Surf) -> None:
    web, url, stop = surf.open(total_timeout=60, read_timeout=60), surf.page("x"), threading.Event()
    surf.server.faults["/x"] = Fault(delay=30)
    failed: list[BaseException] = []

    def fetch() -> None:
        try:
            web.fetch(url, surf.store, stop=stop)
        except TransientSourceError as error:
            failed.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    until(lambda: bool(surf.server._at_once))
    stop.set()
    thread.join(10)
    assert "given up with its task" in str(failed[0])


def test_no_more_requests_are_under_way_than_may_be(surf: Surf) -> None:
    web, url, stop = surf.open(parallel=2, read_timeout=60, total_timeout=60), surf.page("x"), threading.Event()
    surf.server.faults["/x"] = Fault(delay=30)

    def ask() -> None:
        with suppress(TransientSourceError):
            web.head(url, stop=stop)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: surf.server._at_once == 2, 20)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert surf.server.most_at_once == 2


def test_https_never_becomes_http(surf: Surf, tmp_path: Path, cms: Callable[..., Cms]) -> None:
    pem = certificate(tmp_path, until=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2))
    secure = cms(tmp_path / "web", tls=serving(pem))
    url = surf.page("x")
    secure.faults["/down"] = Fault(302, {"Location": url})
    surf.server.faults["/up"] = Fault(302, {"Location": f"{secure.url}/x"})
    web = surf.open(ca_file=str(pem))
    assert web.fetch(f"{secure.url}/x", surf.store).size == len(FEED)
    assert web.fetch(f"{surf.server.url}/up", surf.store).url.startswith("https:")
    with pytest.raises(AccessRefused, match="not https any more"):
        web.fetch(f"{secure.url}/down", surf.store)
    with pytest.raises(PermanentSourceError, match="certificate"):
        surf.open().fetch(f"{secure.url}/x", surf.store)
    with pytest.raises(PermanentSourceError, match="ca_file"):
        surf.open(ca_file=str(tmp_path / "none.pem")).fetch(f"{secure.url}/x", surf.store)


def test_a_cms_is_asked_to_do_something(surf: Surf, open_http: Callable[..., HttpSource]) -> None:
    surf.server.account = ("me", "word")
    (surf.server.folder / "ocw").mkdir()
    surf.page("ocw/report", b"report started\nmore")
    source = open_http(url=f"{surf.server.url}/ocw", username="me", password="word")
    assert isinstance(source, Calls)
    assert source.call("/report?kind=links", headers={"X-Why": "test"}) == b"report started\nmore"
    assert source.call("/report", method="POST", limit=6) == b"report"
    assert [(access.method, access.headers.get("X-Why")) for access in surf.server.log] == [("GET", "test"), ("POST", None)]
    for status in (201, 202, 204):
        surf.server.faults["/ocw/report"] = Fault(status, body=b"" if status == 204 else b"yes")
        assert source.call("/report") == (b"" if status == 204 else b"yes")


def test_only_a_get_is_repeated_and_only_a_get_is_redirected(surf: Surf, open_http: Callable[..., HttpSource]) -> None:
    source = open_http(surf.server)
    surf.page("report")
    surf.server.faults["/report"] = Fault(500, times=1)
    assert source.call("/report") == FEED
    surf.server.faults["/report"] = Fault(500, times=1)
    with pytest.raises(SourceUnreachable):
        source.call("/report", method="POST")
    surf.server.faults["/old"] = Fault(302, {"Location": "/report"})
    assert source.call("/old") == FEED
    with pytest.raises(PermanentSourceError, match="answered 302"):
        source.call("/old", method="POST")
    with pytest.raises(ResourceMissing, match=r"there is nothing to ask at http://.*/none; correct the path$"):
        source.call("/none")
