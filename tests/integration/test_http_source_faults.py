"""What a CMS can do wrong, and what the http source makes of it: never wrong bytes, never an endless wait."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from packageslip import BadSlip, Resource, View, ViewKind
from sources import (
    AccessRefused,
    Fetched,
    PermanentSourceError,
    ResourceMissing,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
    Want,
    WrongBytes,
)
from sources.http import HttpSource
from store import Store, StoreFull
from support.certificates import certificate, serving
from support.http_cms import Cms, Fault, until
from support.physics import FILES, SLIP, URL, at, digest, make_site, put, put_slip, resource

OpenHttp = Callable[..., HttpSource]
PDF = "lecture-notes/l1.pdf"
LISTED = resource(PDF, FILES[PDF])
UNLISTED = Resource(PDF)
"""The same file in a slip without size and digest."""


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


def fetch(source: HttpSource, store: Store, *files: Resource | View) -> list[Fetched]:
    return list(source.fetch(SLIP, [Want(file) for file in files], store))


def assert_nothing_is_left(store: Store) -> None:
    incoming = store.root / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


def test_a_refused_connection_is_unreachable(source: HttpSource, server: Cms) -> None:
    server.stop()
    with pytest.raises(SourceUnreachable, match=rf"cms: {server.url}{URL}/packageslip.xml could not be read: Connection refused"):
        source.slip(URL)


def test_an_unknown_host_is_unreachable(open_http: OpenHttp, server: Cms) -> None:
    with pytest.raises(SourceUnreachable, match="name cannot be resolved"):
        open_http(server, url="http://cms.invalid", retries=0).slip(URL)


def test_a_server_that_does_not_answer_in_time_is_given_up(open_http: OpenHttp, server: Cms) -> None:
    server.faults[at("packageslip.xml")] = server.faults["/"] = Fault(delay=9)
    with pytest.raises(SourceUnreachable, match="no answer within the time-out"):
        open_http(server, read_timeout=0.2, retries=0).slip(URL)


def test_a_hiccup_is_repeated_at_once(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=502, times=2)
    assert fetch(source, store, LISTED)[0].digest == digest(FILES[PDF])
    assert [access.status for access in server.requests(at(PDF))] == [502, 502, 200]


def test_a_server_that_answers_only_errors_is_unreachable(source: HttpSource, server: Cms) -> None:
    server.faults[at("packageslip.xml")] = server.faults["/"] = Fault(status=500)
    with pytest.raises(SourceUnreachable, match="answered 500"):
        source.slip(URL)
    assert len(server.requests(at("packageslip.xml"))) == 3


def test_one_broken_page_of_a_healthy_server_is_no_outage(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=500)
    with pytest.raises(TransientSourceError, match=r"answered 500.*the server itself answers") as caught:
        fetch(source, store, LISTED)
    assert type(caught.value) is TransientSourceError, "it must not open the breaker of the whole source"


@pytest.mark.parametrize("fault", [Fault(cut=1000), Fault(cut=1000, chunked=True), Fault(length=10**6, body=b"short")])
def test_a_body_that_is_cut_is_fetched_again(source: HttpSource, server: Cms, store: Store, fault: Fault) -> None:
    for file in (replace(LISTED, size=None), UNLISTED):
        server.faults[at(PDF)] = replace(fault, times=1)
        assert fetch(source, store, file)[0].digest == digest(FILES[PDF])
    assert_nothing_is_left(store)


def test_what_a_cut_left_is_not_sent_again(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(cut=100_000, times=1)
    assert fetch(source, store, LISTED)[0].digest == digest(FILES[PDF])
    first, second = server.requests(at(PDF))
    assert (first.status, first.sent) == (200, 100_000)
    assert (second.status, second.sent, second.headers["Range"]) == (206, len(FILES[PDF]) - 100_000, "bytes=100000-")
    assert_nothing_is_left(store)


def test_a_file_without_a_digest_is_never_joined_of_parts(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(cut=100_000, times=1)
    assert fetch(source, store, UNLISTED)[0].digest == digest(FILES[PDF])
    assert [access.status for access in server.requests(at(PDF))] == [200, 200]


def test_a_file_that_changed_after_a_cut_is_sent_in_full(source: HttpSource, server: Cms, store: Store, site: Path) -> None:
    new = FILES[PDF][::-1]
    server.faults[at(PDF)] = Fault(cut=100_000, times=1)

    def change_after_the_first(_path: str) -> None:
        if at(PDF) not in server.faults:
            put(site, PDF, new)

    server.before = change_after_the_first
    assert fetch(source, store, resource(PDF, new))[0].digest == digest(new)
    first, second = server.requests(at(PDF))
    assert (first.status, second.status, second.headers["Range"]) == (200, 200, "bytes=100000-")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=206, headers={"Content-Range": "bytes 7-9/10"}, body=b"xyz"),
        Fault(status=206, body=b"xyz"),
        Fault(status=206, headers={"Content-Range": "bytes 100000-199999/200000", "ETag": '"other"'}, body=b"x" * 100_000),
        Fault(status=416),
    ],
)
def test_a_server_that_makes_nonsense_of_a_range_is_asked_for_the_whole(
    source: HttpSource, server: Cms, store: Store, fault: Fault
) -> None:
    asked: list[str] = []

    def answer(path: str) -> None:
        asked.append(path)
        if len(asked) <= 2:
            server.faults[at(PDF)] = replace([Fault(cut=100_000), fault][len(asked) - 1], times=1)

    server.before = answer
    assert fetch(source, store, LISTED)[0].digest == digest(FILES[PDF])
    assert ["Range" in access.headers for access in server.requests(at(PDF))] == [False, True, False]


@pytest.mark.parametrize("fault", [Fault(cut=100, gzip=True), Fault(cut=1000, headers={"ETag": 'W/"1"'}), Fault(cut=0)])
def test_parts_that_cannot_be_joined_are_fetched_as_a_whole(source: HttpSource, server: Cms, store: Store, fault: Fault) -> None:
    server.faults[at(PDF)] = replace(fault, times=1)
    assert fetch(source, store, LISTED)[0].digest == digest(FILES[PDF])
    assert all("Range" not in access.headers for access in server.log)


def test_a_body_that_is_always_cut_is_transient(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(cut=1000)
    with pytest.raises(TransientSourceError, match="could not be read"):
        fetch(source, store, LISTED)
    assert_nothing_is_left(store)


def test_a_body_without_a_length_counts_only_if_the_slip_confirms_it(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(length=-1)
    assert fetch(source, store, LISTED)[0].size == len(FILES[PDF])
    assert fetch(source, store, replace(LISTED, size=None))[0].size == len(FILES[PDF])
    with pytest.raises(WrongBytes, match="came without a length, so that a cut cannot be noticed"):
        fetch(source, store, UNLISTED)


@pytest.mark.parametrize("file", [LISTED, replace(LISTED, size=None), replace(LISTED, digest=None)])
def test_a_cut_body_without_a_length_is_repeated_and_not_taken_for_another_file(
    source: HttpSource, server: Cms, store: Store, file: Resource
) -> None:
    server.faults[at(PDF)] = Fault(length=-1, cut=1000, times=1)
    assert fetch(source, store, file)[0].digest == digest(FILES[PDF])


def test_an_endless_body_is_stopped_at_the_declared_size(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(endless=True)
    with pytest.raises(WrongBytes, match=rf"has more than {LISTED.size} bytes, the slip says {LISTED.size}"):
        fetch(source, store, LISTED)
    assert all(access.sent < 50_000_000 for access in server.log)
    assert_nothing_is_left(store)


def test_a_file_over_the_limit_is_refused(open_http: OpenHttp, server: Cms, store: Store) -> None:
    with pytest.raises(WrongBytes, match=r"more than 1000 bytes, the largest file that is accepted \('max_file_bytes'\)"):
        fetch(open_http(server, max_file_bytes=1000), store, UNLISTED)


def test_a_slip_over_the_limit_is_refused(open_http: OpenHttp, server: Cms, site: Path) -> None:
    source = open_http(server)
    source._limits = replace(source._limits, bytes=300)
    with pytest.raises(BadSlip, match="300"):
        source.slip(URL)


def test_a_chunked_body_of_another_length_is_wrong(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(chunked=True, body=b"too short")
    with pytest.raises(WrongBytes, match=f"has 9 bytes, the slip says {LISTED.size}"):
        fetch(source, store, LISTED)


@pytest.mark.parametrize("body", [b"too short", FILES[PDF] + b"!", FILES[PDF][:-1] + b"!"])
@pytest.mark.parametrize("size_known", [True, False])
def test_wrong_bytes_are_asked_for_once_more_past_caches(
    source: HttpSource, server: Cms, store: Store, body: bytes, size_known: bool
) -> None:
    file = LISTED if size_known else replace(LISTED, size=None)
    server.faults[at(PDF)] = Fault(body=body, times=1)
    assert fetch(source, store, file)[0].digest == digest(FILES[PDF])
    first, second = server.requests(at(PDF))
    assert "Cache-Control" not in first.headers
    assert second.headers["Cache-Control"] == "no-cache"


def test_bytes_that_are_wrong_twice_fail_and_both_digests_are_named(
    source: HttpSource, server: Cms, store: Store, site: Path
) -> None:
    wrong = FILES[PDF][:-1] + b"!"
    put(site, PDF, wrong)
    with pytest.raises(WrongBytes, match=rf"sha256:{digest(wrong).hex()}, the slip says sha256:{digest(FILES[PDF]).hex()}"):
        fetch(source, store, LISTED)
    assert len(server.requests(at(PDF))) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_listed_file_that_is_gone_is_an_error_and_never_a_deletion(
    source: HttpSource, server: Cms, store: Store, status: int
) -> None:
    server.faults[at(PDF)] = Fault(status=status)
    with pytest.raises(ResourceMissing, match=f"{PDF} answered {status}"):
        fetch(source, store, LISTED)
    assert len(server.requests(at(PDF))) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_the_long_text_of_an_error_is_not_read(source: HttpSource, server: Cms, store: Store, status: int) -> None:
    server.faults[at(PDF)] = Fault(status=status, endless=True)
    with pytest.raises(AccessRefused):
        fetch(source, store, LISTED)


@pytest.mark.parametrize("status", [401, 403])
def test_a_broken_file_behind_a_locked_front_page_is_no_outage(
    source: HttpSource, server: Cms, store: Store, status: int
) -> None:
    server.faults[at(PDF)], server.faults["/"] = Fault(status=500), Fault(status=status)
    with pytest.raises(TransientSourceError, match="the server itself answers"):
        fetch(source, store, LISTED)


@pytest.mark.parametrize("status", [401, 403])
def test_no_access_is_permanent(source: HttpSource, server: Cms, store: Store, status: int) -> None:
    server.faults[at(PDF)] = Fault(status=status)
    with pytest.raises(AccessRefused, match=f"answered {status}"):
        fetch(source, store, LISTED)


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_retry_after_is_waited_for(source: HttpSource, server: Cms, store: Store, status: int) -> None:
    server.faults[at(PDF)] = Fault(status=status, headers={"Retry-After": "1"}, times=1)
    start = time.monotonic()
    fetch(source, store, LISTED)
    assert time.monotonic() - start >= 1


def test_nobody_asks_while_the_source_wants_to_be_left_alone(open_http: OpenHttp, server: Cms, store: Store, site: Path) -> None:
    files = [put(site, f"{number}.txt", b"x").name for number in range(12)]
    server.faults[at("0.txt")] = Fault(status=429, headers={"Retry-After": "1"}, times=1)
    server.faults[at("1.txt")] = server.faults[at("2.txt")] = Fault(delay=0.3)
    fetch(open_http(server, parallel=3), store, *map(Resource, files))
    refused = next(access for access in server.log if access.status == 429)
    later = [access.began - refused.began for access in server.log if access.began - refused.began > 0.2]
    assert len(later) >= 10, "all but the three that may have begun, and the refused one again"
    assert min(later) >= 1


def test_other_tasks_leave_a_source_alone_that_asked_for_long(open_http: OpenHttp, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=503, headers={"Retry-After": "600"})
    source = open_http(server, max_retry_after=30)
    with pytest.raises(SourceSlow, match="asks to wait 600 s"):
        fetch(source, store, LISTED)
    with pytest.raises(SourceSlow, match=r"left alone for another \d+ s") as caught:
        source.slip(URL)
    assert caught.value.retry_after is not None
    assert 590 < caught.value.retry_after <= 600
    assert len(server.log) == 1


def test_a_request_that_waits_for_its_turn_is_given_up_with_its_task(open_http: OpenHttp, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(delay=1.5)
    source = open_http(server, parallel=1)
    with ThreadPoolExecutor() as pool:
        long = pool.submit(fetch, source, store, LISTED)
        until(lambda: server.most_at_once == 1)
        waiting = pool.submit(source.slip, URL)
        source.close()
        with pytest.raises(TransientSourceError, match="given up with its task"):
            waiting.result(timeout=1)
        assert not long.done()


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_retry_after_is_left_to_the_queue(open_http: OpenHttp, server: Cms, store: Store, status: int) -> None:
    server.faults[at(PDF)] = Fault(status=status, headers={"Retry-After": "600"})
    with pytest.raises(SourceSlow, match="asks to wait 600 s") as caught:
        fetch(open_http(server, max_retry_after=30), store, LISTED)
    assert caught.value.retry_after == 600
    assert len(server.requests(at(PDF))) == 1


def test_a_retry_after_may_be_a_date_by_the_servers_own_clock(open_http: OpenHttp, server: Cms, store: Store) -> None:
    headers = {"Date": "Sat, 01 Jan 2000 00:00:00 GMT", "Retry-After": "Sat, 01 Jan 2000 00:10:00 GMT"}
    server.faults[at(PDF)] = Fault(status=503, headers=headers)
    with pytest.raises(SourceSlow) as caught:
        fetch(open_http(server), store, LISTED)
    assert caught.value.retry_after == 600


def test_out_of_service_without_a_retry_after_is_unreachable(source: HttpSource, server: Cms) -> None:
    server.faults[at("packageslip.xml")] = server.faults["/"] = Fault(status=503)
    with pytest.raises(SourceUnreachable, match="out of service"):
        source.slip(URL)


@pytest.mark.parametrize("file", [LISTED, UNLISTED, View("feed.xml", ViewKind.FEED, href=PDF)])
def test_a_login_page_in_place_of_a_file_is_wrong_bytes(
    source: HttpSource, server: Cms, store: Store, file: Resource | View
) -> None:
    server.faults[at(PDF)] = Fault(
        body=b"<html>log in" + b"!" * (len(FILES[PDF]) - 12), headers={"Content-Type": "text/html; charset=utf-8"}
    )
    with pytest.raises(WrongBytes, match="an HTML page"):
        fetch(source, store, file)


def test_a_login_page_in_place_of_a_slip_is_no_access(source: HttpSource, server: Cms) -> None:
    server.faults[at("packageslip.xml")] = Fault(body=b"<html>log in", headers={"Content-Type": "text/html"})
    with pytest.raises(AccessRefused, match="HTML page instead of an XML document"):
        source.slip(URL)


def test_redirects_on_the_same_origin_are_followed(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": "/one"})
    server.faults["/one"] = Fault(status=301, headers={"Location": f"{server.url}/two"})
    server.faults["/two"] = Fault(status=307, headers={"Location": f"{URL}/empty.txt"})
    assert fetch(source, store, UNLISTED)[0].size == 0
    assert [access.status for access in server.log] == [302, 301, 307, 200]
    assert source._client._pool.num_connections == 1


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:1/", "https://127.0.0.1/", "//evil.example/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "/a\\b"],
)
def test_a_redirect_to_another_origin_is_refused(source: HttpSource, server: Cms, store: Store, location: str) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": location})
    with pytest.raises(AccessRefused, match="a redirect of"):
        fetch(source, store, LISTED)


def test_a_fourth_redirect_is_refused(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(status=302, headers={"Location": at(PDF)})
    with pytest.raises(AccessRefused, match="redirected more than 3 times"):
        fetch(source, store, LISTED)
    assert len(server.log) == 4


def test_an_answer_compressed_unasked_is_decoded_and_compared(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(gzip=True)
    for file in (LISTED, UNLISTED):
        assert fetch(source, store, file)[0].digest == digest(FILES[PDF])


def test_a_compressed_bomb_is_stopped_at_the_declared_size(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at("empty.txt")] = Fault(gzip=True, body=b"\0" * 50_000_000)
    with pytest.raises(WrongBytes, match="more than 10 bytes"):
        fetch(source, store, Resource("empty.txt", size=10))
    assert_nothing_is_left(store)


def test_a_body_that_is_not_compressed_as_it_says_is_transient(source: HttpSource, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(headers={"Content-Encoding": "gzip"})
    with pytest.raises(TransientSourceError, match="damaged compressed body"):
        fetch(source, store, UNLISTED)


def test_a_drip_is_given_up_for_its_rate(open_http: OpenHttp, server: Cms, store: Store) -> None:
    server.faults[at(PDF)] = Fault(drip=(10, 0.05))
    with pytest.raises(SourceSlow, match=r"under the minimum of 1e\+06 \(min_rate\)"):
        fetch(open_http(server, min_rate=1_000_000, retries=0), store, LISTED)


def test_a_minimum_rate_of_zero_is_never_too_slow(open_http: OpenHttp, server: Cms, store: Store) -> None:
    server.faults[at("index.htm")] = Fault(drip=(10, 0.2))
    assert fetch(open_http(server, min_rate=0), store, Resource("index.htm"))[0].size == 22


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drip=(1, 0.05)),
        Fault(drip_headers=0.05),
        Fault(drip=(1, 0.05), length=-1),
        Fault(drip=(1, 0.05), status=404, body=b"x" * 9000),
    ],
)
def test_a_transfer_ends_with_its_total_time(open_http: OpenHttp, server: Cms, store: Store, fault: Fault) -> None:
    server.faults[at(PDF)] = fault
    start = time.monotonic()
    with pytest.raises(SourceSlow, match=r"took more than 0.5 s \(total_timeout\)"):
        fetch(open_http(server, min_rate=0, total_timeout=0.5, retries=0), store, LISTED)
    assert time.monotonic() - start < 20, "a bound for hangs: the answers take minutes"
    assert_nothing_is_left(store)


def test_the_first_error_ends_everything_under_way(open_http: OpenHttp, server: Cms, store: Store, site: Path) -> None:
    for number in range(20):
        put(site, f"{number}.txt", b"x" * 1000)
        server.faults[at(f"{number}.txt")] = Fault(drip=(1, 0.2))
    wants = [Resource(f"{number}.txt") for number in range(20)] + [Resource("absent.txt")]
    start = time.monotonic()
    with pytest.raises(ResourceMissing):
        fetch(open_http(server, parallel=8), store, wants[-1], *wants[:-1])
    assert time.monotonic() - start < 20, "a bound for hangs: the answers take minutes"
    assert len(server.log) <= 9
    assert_nothing_is_left(store)


def test_a_caller_that_stops_listening_ends_everything_under_way(
    open_http: OpenHttp, server: Cms, store: Store, site: Path
) -> None:
    server.faults[at(PDF)] = Fault(drip=(1, 0.2))
    answers = open_http(server).fetch(SLIP, [Want(LISTED), Want(Resource("index.htm"))], store)
    assert next(answers).path == "index.htm"
    start = time.monotonic()
    answers.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 20, "a bound for hangs: the answer takes minutes"
    assert_nothing_is_left(store)


def test_a_full_store_is_the_stores_own_error(source: HttpSource, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> object:
        raise StoreFull("no room")

    monkeypatch.setattr(store, "incoming", full)
    with pytest.raises(StoreFull):
        fetch(source, store, LISTED)


def test_an_answer_that_makes_no_sense_is_permanent(source: HttpSource, server: Cms, store: Store) -> None:
    for status in (204, 206, 400, 418):
        server.faults[at(PDF)] = Fault(status=status)
        with pytest.raises(PermanentSourceError, match=f"answered {status}"):
            fetch(source, store, LISTED)
    server.faults[at(PDF)] = Fault(status=304)
    with pytest.raises(WrongBytes, match="304, which nobody asked for"):
        fetch(source, store, LISTED)
    server.faults[at("packageslip.xml")] = Fault(status=304)
    with pytest.raises(WrongBytes, match="304, which nobody asked for"):
        source.slip(URL)


def test_an_empty_slip_is_a_bad_slip(source: HttpSource, site: Path) -> None:
    put(site, "packageslip.xml", b"")
    with pytest.raises(BadSlip):
        source.slip(URL)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.76, 0.99])
def test_a_slip_that_is_cut_is_never_a_shorter_slip(source: HttpSource, server: Cms, site: Path, share: float) -> None:
    whole = put_slip(site).read_bytes()
    server.faults[at("packageslip.xml")] = Fault(length=-1, cut=int(len(whole) * share))
    with pytest.raises(BadSlip):
        source.slip(URL)


SOON = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=2)


def test_a_certificate_of_a_configured_authority_is_trusted(
    cms: Callable[..., Cms], open_http: OpenHttp, site: Path, store: Store
) -> None:
    pem = certificate(site, until=SOON)
    source = open_http(cms(site, tls=serving(pem)), ca_file=pem)
    assert source.slip(URL) == SLIP
    assert len(fetch(source, store, *SLIP.resources)) == len(FILES)


@pytest.mark.parametrize(
    ("until", "address", "trusted", "reason"),
    [
        (SOON, "127.0.0.1", False, "self-signed certificate"),
        (datetime(2020, 1, 1), "127.0.0.1", True, "certificate has expired"),
        (SOON, "127.0.0.9", True, "IP address mismatch"),
    ],
)
def test_a_bad_certificate_is_permanent_and_says_why(
    cms: Callable[..., Cms], open_http: OpenHttp, site: Path, until: datetime, address: str, trusted: bool, reason: str
) -> None:
    pem = certificate(site, until=until, address=address)
    server = cms(site, tls=serving(pem))
    with pytest.raises(PermanentSourceError, match=rf"certificate of .* is refused: .*{reason}.*set 'ca_file'"):
        open_http(server, **({"ca_file": pem} if trusted else {})).slip(URL)
    assert server.log == []


ALERT = bytes.fromhex("15 0303 0002 0228")
"""The TLS record that says: handshake failure."""


@pytest.mark.parametrize("last_words", [b"", ALERT])
def test_tls_that_breaks_off_is_unreachable(open_http: OpenHttp, last_words: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(10_000)
                connection.sendall(last_words)
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        source = open_http(url=f"https://127.0.0.1:{listener.getsockname()[1]}", retries=0)
        with pytest.raises(SourceUnreachable, match=r"could not be read|TLS with .* failed"):
            source.slip(URL)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_drip_over_tls_is_cut_too(cms: Callable[..., Cms], open_http: OpenHttp, site: Path, store: Store) -> None:
    pem = certificate(site, until=SOON)
    server = cms(site, tls=serving(pem))
    server.faults[at(PDF)] = Fault(drip=(1, 0.05))
    with pytest.raises(SourceSlow, match="total_timeout"):
        fetch(open_http(server, ca_file=pem, min_rate=0, total_timeout=0.5, retries=0), store, LISTED)


def test_a_server_without_tls_is_told_apart_from_an_outage(open_http: OpenHttp, server: Cms) -> None:
    with pytest.raises(PermanentSourceError, match="does not speak TLS"):
        open_http(server, url=server.url.replace("http:", "https:")).slip(URL)


def test_a_ca_file_that_cannot_be_read_is_permanent(open_http: OpenHttp, server: Cms, site: Path) -> None:
    with pytest.raises(PermanentSourceError, match="must hold PEM certificates"):
        open_http(server, url="https://localhost", ca_file=site / "absent.pem")
