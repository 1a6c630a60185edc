"""A target as a source: bytes are known by their digest, and a publish under way is never mistaken for the module."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from packageslip import Packageslip, Resource
from sources import PermanentSourceError, SourceChanged, SourceUnreachable, TargetSource, TransientSourceError, Want
from store import Store
from support.claims import TestQueue
from support.releases import digest, publish
from targets import (
    LoginRefused,
    MemoryDisk,
    MemoryFiles,
    OrderedTarget,
    PlacedOptions,
    Target,
    TargetBusy,
    TargetError,
    TargetUnreachable,
)

URL = "/courses/physics"
ONE = {"index.htm": b"one", "a.pdf": b"%PDF"}


class Staging:
    """A target in memory, how often it was opened and closed, and what its next call raises."""

    def __init__(self) -> None:
        self.files, self.queue = MemoryFiles(), TestQueue()
        self.opened: list[Target] = []
        self.closed = 0
        self.raises: Exception | None = None

    def publish(self, files: dict[str, bytes]) -> None:
        publish(self.target(), URL, files, self.queue.claim())

    def target(self) -> OrderedTarget:
        return OrderedTarget("staging", MemoryDisk(self.files, self._hook), PlacedOptions())

    def open(self) -> Target:
        target = self.target()
        self.opened.append(target)
        real = target.close

        def close() -> None:
            self.closed += 1
            real()

        target.close = close  # type: ignore[method-assign]
        return target

    def scribble(self, path: str, content: bytes) -> None:
        node = self.files.find(f"courses/physics/{path}")
        assert node
        node.content = content

    def _hook(self, verb: str, path: str, to: str) -> None:
        if self.raises:
            raise self.raises


@pytest.fixture
def staging() -> Staging:
    staging = Staging()
    staging.publish(ONE)
    return staging


@pytest.fixture
def source(staging: Staging) -> Iterator[TargetSource]:
    source = TargetSource("target:staging", staging.open)
    yield source
    source.close()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def fetch(source: TargetSource, store: Store, slip: Packageslip) -> dict[str, bytes]:
    return {answer.path: answer.digest for answer in source.fetch(slip, [Want(file) for file in slip.files()], store)}


def test_each_thread_has_a_target_of_its_own_and_close_closes_all(staging: Staging, source: TargetSource) -> None:
    source.slip(URL)
    source.slip(URL)
    thread = threading.Thread(target=source.slip, args=(URL,))
    thread.start()
    thread.join()
    assert len(staging.opened) == 2
    source.close()
    source.close()
    assert staging.closed == 2
    source.slip(URL)
    assert len(staging.opened) == 3, "it can be used again"


def test_a_file_that_moved_is_read_where_its_bytes_are_now(staging: Staging, source: TargetSource, store: Store) -> None:
    approved = source.slip(URL)
    staging.publish({"index.htm": b"two", "moved/a.pdf": b"%PDF", "copy.htm": b"one"})
    assert fetch(source, store, approved) == {path: digest(content) for path, content in ONE.items()}


def test_bytes_that_were_replaced_meanwhile_are_a_change(staging: Staging, source: TargetSource, store: Store) -> None:
    approved = source.slip(URL)
    staging.publish({**ONE, "index.htm": b"two"})
    with pytest.raises(
        SourceChanged, match=r"index\.htm of /courses/physics was replaced there.*publish again to take what is live"
    ):
        fetch(source, store, approved)
    assert not source.still(approved)


def test_a_publish_under_way_is_a_change_and_not_for_a_person(staging: Staging, source: TargetSource, store: Store) -> None:
    slip = source.slip(URL)
    staging.scribble("index.htm", b"two")
    with pytest.raises(SourceChanged, match=r"index\.htm .* does not have the bytes of its slip there.*slipway verify"):
        fetch(source, store, slip)
    assert not store.has(digest(b"one"))


def test_a_republish_of_equal_bytes_is_another_publication(staging: Staging, source: TargetSource) -> None:
    first = source.slip(URL)
    staging.publish(ONE)
    assert source.slip(URL).version == first.version
    assert not source.still(first)


def test_a_file_without_a_digest_is_read_by_its_path(source: TargetSource, store: Store) -> None:
    slip = source.slip(URL)
    (fetched,) = source.fetch(slip, [Want(Resource("a.pdf"))], store)
    assert fetched.digest == digest(b"%PDF")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TargetUnreachable("gone"), SourceUnreachable),
        (TargetBusy("busy"), TransientSourceError),
        (LoginRefused("no"), PermanentSourceError),
    ],
)
def test_the_targets_errors_become_the_sources(
    staging: Staging, source: TargetSource, store: Store, error: TargetError, kind: type[Exception]
) -> None:
    slip = source.slip(URL)
    staging.raises = error
    asks: tuple[Callable[[], object], ...] = (
        lambda: source.slip(URL),
        lambda: list(source.modules()),
        lambda: fetch(source, store, slip),
    )
    for ask in asks:
        with pytest.raises(kind, match=f"^target:staging: {error}") as caught:
            ask()
        assert caught.value.__cause__ is error
    assert [works for _, works, _ in source.check()] == [False]


def test_a_connection_that_breaks_in_the_middle_of_a_file_is_unreachable(
    staging: Staging, source: TargetSource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Breaking(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise TargetUnreachable("cut")

    def open_breaking(_self: OrderedTarget, _url: str, _path: str) -> BinaryIO:
        return Breaking()

    slip = source.slip(URL)
    monkeypatch.setattr(OrderedTarget, "open", open_breaking)
    with pytest.raises(SourceUnreachable, match="cut"):
        fetch(source, store, slip)


def test_a_wrong_size_is_a_change(source: TargetSource, store: Store) -> None:
    slip = source.slip(URL)
    wrong = replace(slip.resources[0], size=99)
    with pytest.raises(SourceChanged):
        list(source.fetch(slip, [Want(wrong)], store))
