"""The http source against a real server: slips, files and catalogue arrive whole, once, and only when they must."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from packageslip import CatalogueEntry, Resource, View, ViewKind, write_catalogue
from sources import AccessRefused, Fetched, NoSuchModule, ResourceMissing, Want, WrongBytes
from sources.http import HttpSource
from store import Store
from support.http_cms import Cms, Fault
from support.physics import FILES, SLIP, THEN, URL, at, digest, make_site, put, put_slip

OpenHttp = Callable[..., HttpSource]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def server(cms: Callable[..., Cms], site: Path) -> Cms:
    return cms(site)


@pytest.fixture
def source(server: Cms, open_http: OpenHttp) -> HttpSource:
    return open_http(server)


def fetch_one(source: HttpSource, store: Store, file: Resource | View, **known: Any) -> Fetched:
    (fetched,) = source.fetch(SLIP, [Want(file, **known)], store)
    return fetched


def test_a_slip_is_read_past_every_cache(source: HttpSource, server: Cms) -> None:
    assert source.slip(URL) == SLIP
    (access,) = server.log
    assert access.path == at("packageslip.xml")
    assert access.headers["Cache-Control"] == "no-cache"
    assert access.headers["Accept-Encoding"] == "identity"


def test_a_large_slip_is_read_through_a_temporary_file(source: HttpSource, site: Path) -> None:
    large = replace(SLIP, resources=tuple(Resource(f"{number:06}.htm", title="x" * 200) for number in range(20_000)))
    assert put_slip(site, large).stat().st_size > 4 * 1024 * 1024
    assert source.slip(URL) == large


def test_every_file_is_fetched_exactly_once_into_the_store(source: HttpSource, server: Cms, store: Store) -> None:
    fetched = {answer.path: answer for answer in source.fetch(SLIP, [Want(file) for file in SLIP.files()], store)}
    assert fetched.keys() == FILES.keys()
    for path, content in FILES.items():
        assert (fetched[path].digest, fetched[path].size, fetched[path].modified) == (digest(content), len(content), THEN)
        assert store.verify(digest(content))
    assert sorted(server.fetched()) == sorted(at(path) for path in FILES)


def test_connections_are_used_again(source: HttpSource, server: Cms, store: Store, site: Path) -> None:
    source.slip(URL)
    for path, content in FILES.items():
        known = fetch_one(source, store, Resource(path))
        fetch_one(source, store, Resource(path), etag=known.etag, digest=digest(content), size=len(content))
    with pytest.raises(ResourceMissing):
        fetch_one(source, store, Resource("absent"))
    assert source._client._connections.made == 1


def test_no_more_requests_are_under_way_than_the_source_allows(
    open_http: OpenHttp, server: Cms, store: Store, site: Path
) -> None:
    files = [Resource(f"{number}.txt") for number in range(24)]
    for file in files:
        put(site, file.path, file.path.encode())
        server.faults[at(file.path)] = Fault(delay=0.02)
    source = open_http(server, parallel=3)
    assert len(list(source.fetch(SLIP, [Want(file) for file in files], store))) == 24
    assert server.most_at_once == 3


def test_answers_come_in_the_order_of_completion(open_http: OpenHttp, server: Cms, store: Store) -> None:
    server.faults[at("empty.txt")] = Fault(delay=0.4)
    wants = [Want(Resource("empty.txt")), Want(Resource("index.htm"))]
    assert [answer.path for answer in open_http(server).fetch(SLIP, wants, store)] == ["index.htm", "empty.txt"]


def test_fetching_nothing_asks_nothing(source: HttpSource, server: Cms, store: Store) -> None:
    assert list(source.fetch(SLIP, [], store)) == []
    assert server.log == []


def test_a_file_is_fetched_from_its_href(source: HttpSource, server: Cms, store: Store, site: Path) -> None:
    put(site, "views/json", b"{}")
    (site / "shared.css").write_bytes(b"css")
    assert fetch_one(source, store, View("index.json", ViewKind.JSON, href="views/json?lang=en")).size == 2
    assert fetch_one(source, store, Resource("style.css", href="/shared.css")).size == 3
    assert server.fetched() == [at("views/json"), "/shared.css"]


@pytest.mark.parametrize(
    "href", ["//evil.example/x", "https://evil.example/x", "ftp://127.0.0.1/x", "http://me@127.0.0.1/x", "x\ny"]
)
def test_an_href_on_another_origin_is_never_asked(source: HttpSource, server: Cms, store: Store, href: str) -> None:
    with pytest.raises(AccessRefused, match=r"only that origin is ever asked|control character"):
        fetch_one(source, store, Resource("x", href=href))
    assert server.log == []


def test_a_source_may_live_below_a_path_of_its_origin(open_http: OpenHttp, server: Cms, store: Store, site: Path) -> None:
    (site / "plone").mkdir()
    (site / "courses").rename(site / "plone" / "courses")
    (site / "shared.css").write_bytes(b"css")
    source = open_http(server, url=f"{server.url}/plone/")
    assert source.slip(URL) == SLIP
    assert fetch_one(source, store, SLIP.resources[0]).size == SLIP.resources[0].size
    assert fetch_one(source, store, Resource("style.css", href="/shared.css")).size == 3


def test_a_file_that_is_unchanged_is_not_sent_again(source: HttpSource, server: Cms, store: Store) -> None:
    content = FILES["index.htm"]
    first = fetch_one(source, store, Resource("index.htm"))
    again = fetch_one(source, store, Resource("index.htm"), etag=first.etag, digest=first.digest, size=first.size)
    assert again == replace(first, modified=None, unchanged=True)
    dated = fetch_one(source, store, Resource("index.htm"), modified=THEN, digest=digest(content), size=len(content))
    assert dated.unchanged
    assert [access.status for access in server.log] == [200, 304, 304]


def test_a_file_that_changed_is_sent_although_validators_were_given(source: HttpSource, store: Store, site: Path) -> None:
    first = fetch_one(source, store, Resource("index.htm"))
    put(site, "index.htm", b"<html>Physics II</html>")
    again = fetch_one(source, store, Resource("index.htm"), etag=first.etag, digest=first.digest, size=first.size)
    assert not again.unchanged
    assert again.digest == digest(b"<html>Physics II</html>")


@pytest.mark.parametrize(
    "known",
    [
        {"etag": '"x"', "modified": THEN},
        {"etag": '"x\nEvil: 1"', "digest": digest(b""), "size": 0},
        {"etag": "unquoted", "digest": digest(b""), "size": 0},
    ],
)
def test_validators_are_sent_only_where_the_answer_could_be_understood(
    source: HttpSource, server: Cms, store: Store, known: dict[str, Any]
) -> None:
    fetch_one(source, store, Resource("index.htm"), **known)
    assert not {"If-None-Match", "If-Modified-Since", "Evil"} & server.log[0].headers.keys()


def test_validators_of_other_bytes_than_the_slips_are_not_sent(source: HttpSource, server: Cms, store: Store) -> None:
    fetch_one(source, store, SLIP.resources[-1], etag='"x"', digest=digest(b"older"), size=5)
    assert "If-None-Match" not in server.log[0].headers


def test_caches_on_the_way_are_used_only_where_the_digest_would_show_a_stale_copy(
    source: HttpSource, server: Cms, store: Store
) -> None:
    fetch_one(source, store, SLIP.resources[-1])
    fetch_one(source, store, Resource(SLIP.resources[-1].path))
    assert ["Cache-Control" in access.headers for access in server.log] == [False, True]


def test_a_module_without_a_slip_is_no_such_module(source: HttpSource) -> None:
    with pytest.raises(NoSuchModule, match="there is no module /courses/chemistry"):
        source.slip("/courses/chemistry")


def test_the_account_is_sent_and_its_password_is_in_no_message(cms: Callable[..., Cms], open_http: OpenHttp, site: Path) -> None:
    server = cms(site, account=("slipway", "s3crét"))
    assert open_http(server, username="slipway", password="s3crét").slip(URL) == SLIP
    with pytest.raises(AccessRefused, match=r"answered 401.*check the source's 'username' and 'password'") as caught:
        open_http(server, username="slipway", password="wr0ng").slip(URL)
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(AccessRefused):
        open_http(server).slip(URL)


def test_the_catalogue_lists_the_modules(cms: Callable[..., Cms], open_http: OpenHttp, site: Path) -> None:
    entries = [CatalogueEntry(URL, "course", "published", "7"), CatalogueEntry("/terms")]
    write_catalogue(entries, document := BytesIO())
    assert list(open_http(cms(site, catalogue=document.getvalue())).modules()) == entries


def test_a_source_without_a_catalogue_says_which_setting_names_it(source: HttpSource) -> None:
    with pytest.raises(
        ResourceMissing, match=r"packageslips.xml, the list of modules, does not exist; serve one there .*sources.cms.catalogue"
    ):
        list(source.modules())


def test_a_catalogue_that_is_answered_with_304_lists_nothing_to_trust(source: HttpSource, server: Cms) -> None:
    server.faults["/packageslips.xml"] = Fault(status=304)
    with pytest.raises(WrongBytes, match="304, which nobody asked for"):
        list(source.modules())


def test_a_slip_is_still_the_same_until_it_changes(source: HttpSource, server: Cms, site: Path) -> None:
    slip = source.slip(URL)
    assert source.still(slip)
    assert server.log[-1].status == 304
    put_slip(site, replace(SLIP, revision="8"))
    assert not source.still(slip)


def test_a_slip_that_was_resolved_meanwhile_is_still_the_same(source: HttpSource, site: Path) -> None:
    put_slip(site, replace(SLIP, resources=tuple(Resource(path) for path in sorted(FILES))))
    loaded = source.slip(URL)
    resolved = replace(loaded, resources=SLIP.resources)
    assert source.still(resolved)
    put_slip(site, replace(SLIP, resources=tuple(Resource(path) for path in sorted({*FILES, "new.htm"}))))
    assert not source.still(resolved)


@pytest.mark.parametrize("now", [None, b"<packageslip", b""])
def test_a_slip_that_is_gone_or_broken_is_not_the_same_any_more(source: HttpSource, site: Path, now: bytes | None) -> None:
    slip = source.slip(URL)
    file = put_slip(site)
    file.unlink() if now is None else file.write_bytes(now)
    assert not source.still(slip)


def test_a_probe_says_what_works_and_what_to_do(
    source: HttpSource, cms: Callable[..., Cms], open_http: OpenHttp, site: Path
) -> None:
    (reach, *_), (listing, works, remedy) = source.check()
    assert reach == f"cms: {source._client.addresses.origin}/ answers"
    assert (listing, works) == ("cms: no catalogue, so modules are published by name only", True)
    assert "packageslips.xml, the list of modules, does not exist; serve one there" in remedy
    locked = cms(site, account=("slipway", "secret"))
    assert [works for _, works, _ in open_http(locked).check()] == [False, False]
    locked.stop()
    assert ["Connection refused" in remedy for _, _, remedy in open_http(locked, retries=0).check()] == [True, True]
