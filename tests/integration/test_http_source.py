"""The http source against a real server: slips, files and catalogue arrive whole, once, and only when they must."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import HttpSource as HttpSettings
from packageslip import CatalogueEntry, Kind, Packageslip, Resource, View, ViewKind, write_slip
from sources import AccessRefused, Fetched, HttpSource, NoSuchModule, Want, WrongBytes
from sources.patience import Patience
from store import Store
from support.http_cms import Cms, Fault, touch

URL = "/courses/physics"
FILES = {
    "index.htm": b"<html>Physics I</html>",
    "lecture-notes/l1.pdf": b"%PDF " * 40_000,
    "a b/ü #1?50%25.txt": b"an odd name",
    "empty.txt": b"",
}
THEN = 1_500_000_000


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def put(site: Path, path: str, content: bytes) -> None:
    file = site / URL.strip("/") / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    touch(file, THEN)


def resource(path: str, content: bytes) -> Resource:
    return Resource(path, size=len(content), digest=digest(content), modified=THEN)


SLIP = Packageslip(
    URL, tuple(resource(path, content) for path, content in sorted(FILES.items())), module_type="course", revision="7"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for path, content in FILES.items():
        put(folder, path, content)
    put(folder, "packageslip.xml", write_slip(SLIP))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def server(cms: Callable[..., Cms], site: Path) -> Cms:
    return cms(site)


@pytest.fixture
def open_http() -> Iterator[Callable[..., HttpSource]]:
    opened: list[HttpSource] = []

    def open_one(server: Cms, password: str | None = None, window: float = 0.3, **options: Any) -> HttpSource:
        settings = HttpSettings(**{"kind": "http", "url": server.url, "connect_timeout": 2, "read_timeout": 2} | options)
        patience = Patience(settings.retries, settings.max_retry_after, pause=0.01)
        opened.append(HttpSource("cms", settings, password=password, patience=patience, window=window))
        return opened[-1]

    yield open_one
    for source in opened:
        source.close()
        source.close()


@pytest.fixture
def source(server: Cms, open_http: Callable[..., HttpSource]) -> HttpSource:
    return open_http(server)


def wants(*files: Resource | View) -> list[Want]:
    return [Want(file) for file in files or SLIP.resources]


def fetch_one(source: HttpSource, store: Store, file: Resource | View, **known: Any) -> Fetched:
    (fetched,) = source.fetch(SLIP, [Want(file, **known)], store)
    return fetched


def at(path: str) -> str:
    return f"{URL}/{path}"


def test_a_slip_is_read_past_every_cache(source: HttpSource, server: Cms) -> None:
    assert source.slip(URL) == SLIP
    (access,) = server.log
    assert access.path == at("packageslip.xml")
    assert access.headers["Cache-Control"] == "no-cache"
    assert access.headers["Accept-Encoding"] == "identity"


def test_every_file_is_fetched_exactly_once_into_the_store(source: HttpSource, server: Cms, store: Store) -> None:
    fetched = {answer.path: answer for answer in source.fetch(SLIP, wants(), store)}
    assert fetched.keys() == FILES.keys()
    for path, content in FILES.items():
        assert (fetched[path].digest, fetched[path].size, fetched[path].modified) == (digest(content), len(content), THEN)
        with store.open(digest(content)) as blob:
            assert blob.read() == content
    assert sorted(server.fetched()) == sorted(at(path) for path in FILES)


def test_a_file_is_fetched_from_its_href(source: HttpSource, server: Cms, store: Store, site: Path) -> None:
    put(site, "views/json", b"{}")
    (site / "shared.css").write_bytes(b"css")
    assert fetch_one(source, store, View("index.json", ViewKind.JSON, href="views/json?lang=en")).size == 2
    assert fetch_one(source, store, Resource("style.css", href="/shared.css")).size == 3
    assert server.fetched() == [at("views/json"), "/shared.css"]


@pytest.mark.parametrize(
    "href", ["//evil.example/x", "https://evil.example/x", "ftp://127.0.0.1/x", "http://me@127.0.0.1/x", "http://127.0.0.1:1/x"]
)
def test_an_href_on_another_origin_is_never_asked(source: HttpSource, server: Cms, store: Store, href: str) -> None:
    with pytest.raises(AccessRefused, match="only that origin is ever asked"):
        fetch_one(source, store, Resource("x", href=href))
    assert server.log == []


def test_a_module_without_a_slip_is_no_such_module(source: HttpSource) -> None:
    with pytest.raises(NoSuchModule, match="there is no module /courses/chemistry"):
        source.slip("/courses/chemistry")
