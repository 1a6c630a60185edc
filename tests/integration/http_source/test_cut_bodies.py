"""Bodies that are cut, drip, never end, or are longer than they said: never part of a file, never an endless wait."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from packageslip import BadSlip, Resource
from sources import (
    ResourceMissing,
    SourceSlow,
    TransientSourceError,
    Want,
    WrongBytes,
)
from sources.http import HttpSource
from store import Store
from support.fetching import LISTED, PDF, UNLISTED, OpenHttp, assert_nothing_is_left, fetch
from support.http_cms import Cms, Fault
from support.physics import FILES, SLIP, URL, at, digest, put, put_slip, resource


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
        Fault(drip=(1, 0.05), status=302, body=b"x" * 9000, headers={"Location": "/slow"}),
    ],
)
def test_a_transfer_ends_with_its_total_time(open_http: OpenHttp, server: Cms, store: Store, fault: Fault) -> None:
    server.faults[at(PDF)], server.faults["/slow"] = fault, Fault(drip_headers=0.05)
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


@pytest.mark.parametrize("share", [0.2, 0.5, 0.76, 0.99])
def test_a_slip_that_is_cut_is_never_a_shorter_slip(source: HttpSource, server: Cms, site: Path, share: float) -> None:
    whole = put_slip(site).read_bytes()
    server.faults[at("packageslip.xml")] = Fault(length=-1, cut=int(len(whole) * share))
    with pytest.raises(BadSlip):
        source.slip(URL)
