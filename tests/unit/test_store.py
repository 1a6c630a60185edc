"""The content store: blobs appear whole, live under their digest, and go only when nobody wants them."""

import errno
import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store import BlobMissing, Collected, Store, StoreFull, StoreHindered, StoreUnwritable

DAY = 24 * 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def keep(store: Store, content: bytes) -> bytes:
    with store.incoming() as incoming:
        incoming.write(content)
        digest, size = incoming.commit()
    assert size == len(content)
    return digest


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def temporaries(store: Store) -> list[Path]:
    return list((store.root / "incoming").iterdir())


def test_a_scratch_file_has_no_name_and_is_gone_at_its_end(store: Store) -> None:
    with store.scratch() as made:
        made.write(b"draft")
        assert not temporaries(store)
        made.seek(0)
        assert made.read() == b"draft"
    assert not temporaries(store)


def test_a_blob_is_kept_under_its_digest(store: Store) -> None:
    with store.incoming() as incoming:
        incoming.write(b"lecture ")
        incoming.write(b"one")
        digest, size = incoming.commit()
    assert digest == hashlib.sha256(b"lecture one").digest()
    assert size == 11
    assert store.path(digest) == store.root / digest.hex()[:2] / digest.hex()
    with store.open(digest) as blob:
        assert blob.read() == b"lecture one"


def test_an_empty_file_is_a_blob_too(store: Store) -> None:
    digest = keep(store, b"")
    assert store.has(digest)
    assert store.verify(digest)


def test_nothing_stays_when_the_writer_gives_up(store: Store) -> None:
    with store.incoming() as incoming:
        incoming.write(b"half")
    assert temporaries(store) == []
    assert list(store.digests()) == []


def test_a_blob_is_invisible_until_it_is_committed(store: Store) -> None:
    with store.incoming() as incoming:
        incoming.write(b"x" * 100_000)
        assert list(store.digests()) == []


def test_keeping_the_same_bytes_twice_changes_nothing(store: Store) -> None:
    assert keep(store, b"same") == keep(store, b"same")
    assert len(list(store.digests())) == 1
    assert temporaries(store) == []


def test_keeping_a_blob_again_heals_a_damaged_one(store: Store) -> None:
    digest = keep(store, b"good")
    store.path(digest).write_bytes(b"evil")
    assert not store.verify(digest)
    keep(store, b"good")
    assert store.verify(digest)


def test_missing_names_exactly_what_is_not_there(store: Store) -> None:
    here, absent = keep(store, b"here"), hashlib.sha256(b"absent").digest()
    assert store.missing([here, absent, absent]) == {absent}
    assert store.missing([]) == set()


def test_a_blob_that_is_not_there_raises_blob_missing(store: Store) -> None:
    digest = hashlib.sha256(b"absent").digest()
    with pytest.raises(BlobMissing, match=f"sha256:{digest.hex()}") as caught:
        store.open(digest)
    assert caught.value.digest == digest
    with pytest.raises(BlobMissing, match=f"sha256:{digest.hex()}"):
        store.read(digest, 10)
    assert not store.verify(digest)


def test_the_first_bytes_of_a_blob_are_read_at_once(store: Store) -> None:
    digest = keep(store, b"first and last")
    assert store.read(digest, 5) == b"first"
    assert store.read(digest, 14) == store.read(digest, 1000) == b"first and last"
    assert store.read(keep(store, b""), 1) == b""


def test_a_blob_that_vanishes_between_looking_and_opening_raises_blob_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(b"gone").digest()
    monkeypatch.setattr(store, "has", lambda _digest: True)
    with pytest.raises(BlobMissing):
        store.open(digest)


def test_a_discarded_blob_is_gone(store: Store) -> None:
    digest = keep(store, b"damaged")
    store.discard(digest)
    store.discard(digest)
    assert not store.has(digest)


def test_fsync_is_an_option_that_keeps_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert Store(tmp_path, fsync=True).verify(keep(Store(tmp_path, fsync=True), b"durable"))
    assert len(synced) == 2, "the file, then the folder that names it"
    keep(Store(tmp_path), b"quick")
    assert len(synced) == 2


def test_collect_deletes_what_nobody_wants_and_nobody_used(store: Store) -> None:
    wanted, unwanted, fresh = keep(store, b"wanted"), keep(store, b"unwanted"), keep(store, b"fresh")
    age(store.path(wanted), 2 * DAY)
    age(store.path(unwanted), 2 * DAY)
    assert store.collect(lambda digest: digest == wanted, DAY, time.time()) == Collected(1, len(b"unwanted"))
    assert set(store.digests()) == {wanted, fresh}


@pytest.mark.parametrize(
    "use",
    [
        Store.has,
        lambda store, digest: store.open(digest).close(),
        lambda store, digest: keep(store, b"used"),
    ],
)
def test_a_use_protects_a_blob_from_collection(store: Store, use: Callable[[Store, bytes], object]) -> None:
    digest = keep(store, b"used")
    age(store.path(digest), 2 * DAY)
    use(store, digest)
    assert store.collect(lambda _digest: False, DAY, time.time()) == Collected()
    assert store.has(digest)


def test_collect_removes_abandoned_temporaries_after_a_day(store: Store) -> None:
    with store.incoming() as incoming:
        incoming.write(b"slow transfer")
        (abandoned := store.root / "incoming" / "dead").write_bytes(b"1234")
        age(abandoned, DAY + 60)
        assert store.collect(lambda _digest: False, 0, time.time() + 1) == Collected(1, 4)
        digest, _ = incoming.commit()
    assert store.verify(digest)


def test_collect_leaves_foreign_files_alone(store: Store) -> None:
    keep(store, b"blob")
    foreign = store.root / "ab" / "README"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("not ours")
    (store.root / "zz").write_text("not even a folder")
    age(foreign, 9 * DAY)
    store.collect(lambda _digest: False, 0, time.time() + 1)
    assert foreign.exists()


def test_collect_of_a_store_that_was_never_used_finds_nothing(store: Store) -> None:
    assert store.collect(lambda _digest: False, 0, time.time()) == Collected()


def test_two_collections_at_once_do_not_disturb_each_other(store: Store) -> None:
    digest = keep(store, b"twice")

    def vanish_first(_digest: bytes) -> bool:
        store.discard(digest)
        return False

    assert store.collect(vanish_first, 0, time.time() + 1) == Collected()


def test_many_threads_keep_equal_and_different_blobs_at_once(store: Store) -> None:
    contents = [b"%d" % (number % 40) for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        kept = set(pool.map(lambda content: keep(store, content), contents))
    assert kept == set(store.digests())
    assert len(kept) == 40
    assert all(store.verify(digest) for digest in kept)
    assert temporaries(store) == []


def test_a_full_disk_is_a_sentence_and_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with store.incoming() as incoming:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StoreFull, match=r"no room in the content store at .*slipway store gc"):
            incoming.write(b"too much")
    assert temporaries(store) == []


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.EIO])
def test_what_may_pass_by_itself_is_said_so(store: Store, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def hindered(*_args: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", hindered)
    with pytest.raises(StoreHindered, match=f"for the moment: {os.strerror(number)}"), store.incoming():
        pytest.fail("nothing can be written there")


def test_a_blob_on_a_disk_that_became_read_only_can_be_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = keep(store, b"kept")

    def read_only(*_args: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "utime", read_only)
    assert store.has(digest)
    assert not store.has(b"\0" * 32)
    with store.open(digest) as blob:
        assert blob.read() == b"kept"
    assert store.read(digest, 4) == b"kept"


def test_short_writes_are_continued(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, chunk: real(descriptor, chunk[:3]))
    assert store.verify(keep(store, b"written in pieces of three"))


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file is in the way")
    with pytest.raises(StoreUnwritable, match="check that the folder is writable"), Store(tmp_path / "store").incoming():
        pytest.fail("nothing can be written there")


def test_a_blob_of_another_account_can_be_used_although_its_time_cannot_be_set(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = keep(store, b"theirs")

    def denied(*_args: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "utime", denied)
    assert store.has(digest)
    assert not store.has(hashlib.sha256(b"nobody's").digest())
