"""What a real web server answers when a file is gone, locked, moved, slow or another one, and what the http source makes of it."""

import gzip
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from packageslip import Resource
from sources import (
    AccessRefused,
    Fetched,
    PermanentSourceError,
    ResourceMissing,
    SourceSlow,
    TransientSourceError,
    Want,
    WrongBytes,
)
from sources.http import HttpSource
from store import Store
from support.certificates import certificate
from support.nginx import serving
from support.physics import FILES, SLIP, URL, make_site, put, resource

PDF = "lecture-notes/l1.pdf"
SERVER = """
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {pem}; ssl_certificate_key {pem};
        location = {url}/locked.pdf {{ return 403; }}
        location = {url}/withdrawn.pdf {{ return 410; }}
        location = {url}/broken.pdf {{ return 500; }}
        location = {url}/busy.pdf {{ add_header Retry-After 600 always; return 503; }}
        location = {url}/elsewhere.pdf {{ return 302 http://127.0.0.1:1/; }}
        location = {url}/circle.pdf {{ return 302 {url}/circle.pdf; }}
        location = {url}/login.pdf {{ default_type text/html; return 200 "<html>log in"; }}
        location = {url}/slow.pdf {{ limit_rate 20k; alias {root}{url}/{pdf}; }}
        location = {url}/bomb.bin {{ gzip_static always; }}
"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The course behind nginx, over HTTP and over TLS; the certificate is long over."""
    folder = tmp_path_factory.mktemp("nginx")
    root = make_site(folder / "site")
    put(root, "bomb.bin.gz", gzip.compress(b"\0" * 50_000_000))
    pem = certificate(folder, until=datetime(2020, 1, 1))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tls = free.getsockname()[1]
    with serving(folder / "own", root, server=SERVER.format(url=URL, root=root, pdf=PDF, tls=tls, pem=pem)) as server:
        yield f"http://127.0.0.1:{server.port}", f"https://127.0.0.1:{tls}"


@pytest.fixture
def get(addresses: tuple[str, str], open_http: Callable[..., HttpSource], tmp_path: Path) -> Callable[..., list[Fetched]]:
    """Fetch one file of the course into an empty store."""

    def fetch(file: Resource, **options: object) -> list[Fetched]:
        source = open_http(url=addresses[0], **options)
        return list(source.fetch(SLIP, [Want(file)], Store(tmp_path / "store")))

    return fetch


def test_the_course_is_there(get: Callable[..., list[Fetched]]) -> None:
    assert get(resource(PDF, FILES[PDF]))[0].size == len(FILES[PDF])


@pytest.mark.parametrize("path", ["never-was.pdf", "withdrawn.pdf"])
def test_a_listed_file_that_is_gone_is_an_error(get: Callable[..., list[Fetched]], path: str) -> None:
    with pytest.raises(ResourceMissing, match="does not exist there"):
        get(Resource(path))


def test_a_locked_file_is_asked_for_once(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(AccessRefused, match="answered 403"):
        get(Resource("locked.pdf"))


def test_who_asks_to_wait_is_left_to_the_queue(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(SourceSlow, match="asks to wait 600 s") as caught:
        get(Resource("busy.pdf"))
    assert caught.value.retry_after == 600


def test_one_broken_file_is_no_outage(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(TransientSourceError, match=r"answered 500.*the server itself answers"):
        get(Resource("broken.pdf"))


def test_a_login_page_is_no_file(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(WrongBytes, match="an HTML page"):
        get(Resource("login.pdf"))


@pytest.mark.parametrize(("path", "said"), [("elsewhere.pdf", "only that origin"), ("circle.pdf", "more than 3 times")])
def test_a_redirect_leads_neither_elsewhere_nor_in_circles(get: Callable[..., list[Fetched]], path: str, said: str) -> None:
    with pytest.raises(AccessRefused, match=said):
        get(Resource(path))


def test_a_drip_is_given_up(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(SourceSlow, match="under the minimum of"):
        get(Resource("slow.pdf"), min_rate=10_000_000, retries=0)


def test_a_bomb_is_stopped_at_the_declared_size(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(WrongBytes, match="more than 10 bytes"):
        get(Resource("bomb.bin", size=10))


def test_a_file_of_another_length_than_the_slips_is_wrong(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(WrongBytes, match=rf"has {len(FILES[PDF])} bytes, the slip says 9"):
        get(resource(PDF, b"too short"))


def test_a_file_with_another_digest_than_the_slips_is_wrong(get: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(WrongBytes, match="has the digest"):
        get(resource(PDF, FILES[PDF][::-1]))


def test_an_expired_certificate_is_refused(addresses: tuple[str, str], open_http: Callable[..., HttpSource]) -> None:
    with pytest.raises(PermanentSourceError, match=r"certificate of .* is refused"):
        open_http(url=addresses[1]).slip(URL)
