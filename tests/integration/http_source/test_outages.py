"""A CMS that is away, busy, locked or not who it should be: left alone, asked again, or said so."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from packageslip import Resource
from sources import (
    AccessRefused,
    PermanentSourceError,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
)
from sources.http import HttpSource
from store import Store
from support.certificates import certificate, serving
from support.fetching import LISTED, PDF, OpenHttp, fetch
from support.http_cms import Cms, Fault, until
from support.physics import FILES, SLIP, URL, at, digest, put


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


def test_what_a_server_is_asked_to_do_may_take_longer_than_a_connection(open_http: OpenHttp, server: Cms) -> None:
    source = open_http(server, connect_timeout=0.2, read_timeout=5)
    server.faults["/report"] = Fault(status=200, body=b"done", delay=0.6)
    assert source.call("/report", method="POST") == source.call("/report") == b"done"


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
