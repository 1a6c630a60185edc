"""A CMS behind a bad line: whatever happens to a connection, no wrong byte is taken, and a further try brings the right ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packageslip import Resource
from sources import SourceError, Want
from sources.http import HttpSource
from store import Store
from support.http_cms import Cms
from support.physics import FILES, SLIP, URL, digest, make_site, put, resource
from support.tcp_proxy import Fault, How, TcpProxy, Way

OpenHttp = Callable[..., HttpSource]

FILM = "lecture-notes/film.mp4"
BODY = bytes(range(256)) * 2000
LISTED = resource(FILM, BODY)
TRIES = 3
"""For a source that tries a request once."""


@dataclass(frozen=True, slots=True)
class Line:
    """A source behind a bad line. `whole`: the bytes that the film takes to the client."""

    proxy: TcpProxy
    open: Callable[..., HttpSource]
    folder: Path
    whole: int

    def fetch(self, fault: Fault, file: Resource, **settings: object) -> None:
        """Fetch over a line with this fault until it is done; each failure is one of ours. What came is right."""
        self.proxy.strike(fault, times=1)
        before = self.proxy.struck
        source, store, said = self.open(**settings), Store(self.folder / "store"), []
        for _ in range(TRIES):
            try:
                [done] = source.fetch(SLIP, [Want(file)], store)
                break
            except SourceError as error:
                said.append(str(error))
        assert all(words.startswith("cms: http://127.0.0.1:") for words in said), said
        assert self.proxy.struck == before + 1, "the line was never bad"
        assert done.digest == digest(BODY)
        with store.open(done.digest) as stream:
            assert stream.read() == BODY
        incoming = store.root / "incoming"
        assert not incoming.exists() or not list(incoming.iterdir())


@pytest.fixture
def line(cms: Callable[..., Cms], open_http: OpenHttp, tmp_path: Path) -> Iterator[Line]:
    site = make_site(tmp_path / "site")
    put(site, FILM, BODY)
    with TcpProxy(cms(site).port) as proxy:

        def opened(**settings: object) -> HttpSource:
            return open_http(url=f"http://127.0.0.1:{proxy.port}", retries=0, read_timeout=1, **settings)

        list(opened().fetch(SLIP, [Want(LISTED)], Store(tmp_path / "first")))
        yield Line(proxy, opened, tmp_path, proxy.talks[0].taken[Way.TO_CLIENT])


@pytest.mark.parametrize("share", [0.0, 0.0002, 0.5, 0.999])
@pytest.mark.parametrize("how", [How.CUT, How.RESET, How.SILENCE, How.HALF_OPEN])
def test_a_file_that_breaks_off_is_fetched_again(line: Line, how: How, share: float) -> None:
    line.fetch(Fault(how, int(share * line.whole), Way.TO_CLIENT), LISTED)


@pytest.mark.parametrize("how", [How.CUT, How.RESET, How.SILENCE])
def test_a_request_that_breaks_off_is_made_again(line: Line, how: How) -> None:
    line.fetch(Fault(how, 40, Way.TO_SERVER), LISTED)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_one_wrong_bit_in_a_listed_file_is_noticed(line: Line, share: float) -> None:
    """Where TLS would: here by the slip's digest."""
    line.fetch(Fault(How.FLIP, int(share * line.whole), Way.TO_CLIENT), LISTED)


@pytest.mark.parametrize("after", [0, 100, 700])
@pytest.mark.parametrize("how", [How.CUT, How.RESET, How.SILENCE])
def test_a_slip_that_breaks_off_is_none(line: Line, how: How, after: int) -> None:
    line.proxy.strike(Fault(how, after, Way.TO_CLIENT), times=1)
    source = line.open()
    with pytest.raises(SourceError):
        source.slip(URL)
    assert {file.path for file in source.slip(URL).files()} == FILES.keys()
