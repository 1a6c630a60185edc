"""What every kind of source promises, whatever it reads from."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from config import SOURCE_KINDS
from packageslip import CatalogueEntry, SlipError, version_of
from sources import KINDS, NoSuchModule, ResourceMissing, Source, SourceChanged, SourceError, Want, WrongBytes
from store import Store
from support.releases import digest, slip_of
from support.source_kinds import SOURCE_PLACES, SourcePlace

URL = "/courses/physics"
FILES = {"index.htm": b"<html>one</html>", "notes/l1.pdf": b"%PDF" * 50_000, "a b/ü #1;50%.txt": b"odd name", "empty": b""}
VIEWS = {"index.json": b"{}"}

Open = Callable[[], Source]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_every_configured_kind_is_a_kind_of_source_and_is_tested() -> None:
    assert set(KINDS) == set(SOURCE_KINDS)
    assert set(KINDS) | {"target"} == set(SOURCE_PLACES)


def test_a_slip_lists_what_the_module_has(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES, VIEWS)
    slip = open_source_there().slip(URL)
    assert slip.url == URL
    assert {file.path: file.digest for file in slip.files()} == {
        path: digest(content) for path, content in {**FILES, **VIEWS}.items()
    }
    assert version_of(slip) == version_of(slip_of(URL, FILES))


def test_a_module_that_is_not_there_is_no_such_module(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES)
    with pytest.raises(NoSuchModule, match="/courses/chemistry") as caught:
        open_source_there().slip("/courses/chemistry")
    assert caught.value.source == open_source_there().name


@pytest.mark.parametrize("url", ["/../etc", "courses", "/courses/", "/a//b", "/a/%2e%2e/b", "/a\0b"])
def test_an_unsafe_url_is_refused(source_place: SourcePlace, open_source_there: Open, url: str) -> None:
    source_place.publish(URL, FILES)
    with pytest.raises(SlipError):
        open_source_there().slip(url)


def test_modules_are_listed_with_what_is_known_of_them(source_place: SourcePlace, open_source_there: Open) -> None:
    for url in (URL, f"{URL}/seminar", "/terms"):
        source_place.publish(url, FILES)
    entries = sorted(open_source_there().modules(), key=lambda entry: entry.url)
    assert [replace(entry, version=None, serial=None) for entry in entries] == [
        CatalogueEntry(url, "course", "published") for url in (URL, f"{URL}/seminar", "/terms")
    ]


def test_every_want_is_answered_and_its_bytes_are_in_the_store(
    source_place: SourcePlace, open_source_there: Open, store: Store
) -> None:
    source_place.publish(URL, FILES, VIEWS)
    source = open_source_there()
    slip = source.slip(URL)
    answers = {answer.path: answer for answer in source.fetch(slip, [Want(file) for file in slip.files()], store)}
    for path, content in {**FILES, **VIEWS}.items():
        assert (answers[path].digest, answers[path].size, answers[path].unchanged) == (digest(content), len(content), False)
        assert store.verify(digest(content))
    assert list(source.fetch(slip, [], store)) == []


def test_validators_from_one_fetch_are_good_for_the_next(
    source_place: SourcePlace, open_source_there: Open, store: Store
) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    slip = source.slip(URL)
    file = replace(slip.resources[0], size=None, digest=None)
    (first,) = source.fetch(slip, [Want(file)], store)
    (again,) = source.fetch(slip, [Want(file, first.etag, first.modified, first.digest, first.size)], store)
    assert (again.digest, again.size) == (first.digest, first.size)
    assert again.unchanged == (first.etag is not None)


def test_bytes_that_are_not_the_slips_are_never_an_answer(
    source_place: SourcePlace, open_source_there: Open, store: Store
) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    slip = source.slip(URL)
    for content in (b"longer than it was before", b"<html>two</html>", b""):
        source_place.scribble(URL, "index.htm", content)
        with pytest.raises((WrongBytes, SourceChanged), match=r"index\.htm"):
            list(source.fetch(slip, [Want(file) for file in slip.files() if file.path == "index.htm"], store))
        assert not store.has(digest(FILES["index.htm"]))


def test_a_listed_file_that_is_gone_is_an_error(source_place: SourcePlace, open_source_there: Open, store: Store) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    slip = source.slip(URL)
    source_place.scribble(URL, "index.htm", None)
    with pytest.raises((ResourceMissing, SourceChanged), match=r"index\.htm"):
        list(source.fetch(slip, [Want(file) for file in slip.files()], store))


def test_a_document_that_was_seen_is_no_news_until_it_changes(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    slip = source.slip(URL)
    seen = source.seen(slip)
    if not seen:
        # Nothing names what this kind reads: it is read each time.
        assert source.news(URL, seen) == slip
        return
    assert source.news(URL, seen) is None
    assert open_source_there().news(URL, seen) is None, "another engine knows it too"
    assert source.seen(replace(slip, title="never read")) == ""
    source_place.publish(URL, {**FILES, "new.htm": b"new"})
    news = source.news(URL, seen)
    assert news is not None
    assert news == source.slip(URL)
    assert source.seen(news) not in {"", seen}
    source_place.remove(URL)
    with pytest.raises(NoSuchModule):
        source.news(URL, seen)


def test_a_slip_is_still_the_same_until_the_module_changes(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    slip = source.slip(URL)
    assert source.still(slip)
    source_place.publish(URL, {**FILES, "new.htm": b"new"})
    assert not source.still(slip)
    assert source.still(source.slip(URL))
    source_place.remove(URL)
    assert not source.still(slip)


def test_one_source_serves_many_threads(source_place: SourcePlace, open_source_there: Open, store: Store) -> None:
    urls = [f"/courses/{number}" for number in range(6)]
    for url in urls:
        source_place.publish(url, {**FILES, "index.htm": url.encode()})
    source = open_source_there()

    def take(url: str) -> dict[str, bytes]:
        slip = source.slip(url)
        return {answer.path: answer.digest for answer in source.fetch(slip, [Want(file) for file in slip.files()], store)}

    with ThreadPoolExecutor(4) as pool:
        for url, answers in zip(urls, pool.map(take, urls), strict=True):
            assert answers["index.htm"] == digest(url.encode())


def test_a_probe_finds_a_working_source_working(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES)
    source_place.publish("/", {"index.htm": b"home"})
    for what, works, remedy in open_source_there().check():
        assert (works, remedy) == (True, ""), what


def test_closing_twice_is_closing_once(source_place: SourcePlace, open_source_there: Open) -> None:
    source_place.publish(URL, FILES)
    source = open_source_there()
    source.slip(URL)
    source.close()
    source.close()


def test_every_error_names_its_source(source_place: SourcePlace, open_source_there: Open) -> None:
    source = open_source_there()
    with pytest.raises(SourceError, match=f"^{source.name}: "):
        source.slip("/courses/chemistry")
