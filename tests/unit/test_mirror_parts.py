"""What a mirror remembers of pages and of URLs, and its working trees."""

import errno
import os
from pathlib import Path
from typing import cast

import pytest

from archives import LARGEST_PAGE, Known, Laid, Made, Memo, Scan, WorkingTrees, alone, path_of, scan_page
from archives.mirror_tree import joined
from config import SnapshotSettings
from packageslip import Kind, Resource
from tasks.snapshot_items import Item, Items
from tasks.snapshot_pages import scanned
from tasks.snapshot_state import Mirror, place_of
from tasks.work import Work

PAGE = Known(bytes(32), scan_page(b"<base href=x><a href='y'>", sheet=False), Made("abc", bytes(32), 3, 4))


def test_what_is_known_of_pages_comes_back(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    pages = {"a/index.htm": PAGE, "b é.htm": Known(bytes(range(32)), scan_page(b"", sheet=False))}
    memo.save("/a", pages)
    assert memo.load("/a") == pages
    assert memo.load("/b") == {}
    memo.save("/a", {})
    assert memo.load("/a") == {}


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + bytes(range(256)), None])
def test_a_damaged_memory_is_none(tmp_path: Path, damage: bytes | None) -> None:
    memo = Memo(tmp_path)
    memo.save("/a", {"a/index.htm": PAGE})
    [file] = tmp_path.glob("*/*")
    file.write_bytes(file.read_bytes()[:40] if damage is None else damage)
    assert memo.load("/a") == {}


def test_memories_of_modules_that_are_gone_are_removed(tmp_path: Path) -> None:
    memo = Memo(tmp_path)
    memo.save("/a", {"x": PAGE})
    memo.save("/b", {"x": PAGE})
    memo.forget_others(iter(["/b"]))
    assert (memo.load("/a"), set(memo.load("/b"))) == ({}, {"x"})


def test_items_survive_a_killed_writer(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    items = Items(file)
    items.note(Item("http://a/", 1.0, "00", etag='"x"'))
    items.note(Item("http://b/", 2.0))
    items.note(Item("http://a/", 3.0, "01"))
    with file.open("a") as out:
        out.write('{"url": "http://c/", "ask')
    again = Items(file)
    assert again.get("http://a/") == Item("http://a/", 3.0, "01")
    assert again.get("http://c/") is None
    again.note(Item("http://d/", 4.0))
    assert Items(file).get("http://d/") == Item("http://d/", 4.0)
    again.tidy(frozenset({"http://a/"}))
    assert Items(tmp_path / "none").get("http://a/") is None
    assert len(file.read_text().splitlines()) == 1
    assert Items(file).get("http://b/") is None


def test_an_unfinished_tree_is_never_seen(tmp_path: Path) -> None:
    trees = WorkingTrees(tmp_path / "trees")
    assert (trees.reap(), trees.finished()) == (0, [])
    (tmp_path / "a").write_text("a")

    def files(stop: bool) -> list[Laid]:
        return [Laid("x/y", tmp_path / "a"), Laid("z", tmp_path / ("none" if stop else "a"))]

    with pytest.raises(FileNotFoundError):
        trees.build(0, files(stop=True))
    assert trees.finished() == []
    assert trees.reap() == 1
    tree = trees.build(0, files(stop=False))
    assert tree.name == "19700101T000000Z"
    assert trees.build(0, [Laid("only", tmp_path / "a")]) == tree
    assert [path.name for path in tree.iterdir()] == ["only"]
    trees.build(1, [])
    assert trees.thin(1) == 1
    assert [path.name for path in trees.finished()] == ["19700101T000001Z"]


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EMLINK])
def test_what_cannot_be_linked_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("a")
    tree = WorkingTrees(tmp_path / "trees").build(0, [Laid("b", tmp_path / "a")])
    assert (tree / "b").read_text() == "a"
    assert (tree / "b").stat().st_nlink == 1


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with alone(tmp_path / "x"), pytest.raises(BlockingIOError, match="another process"), alone(tmp_path / "x"):
        pass
    with alone(tmp_path / "x"):
        pass


def test_a_page_that_is_too_large_is_not_read_into_memory() -> None:
    page = Resource("a.htm", Kind.PAGE, "text/html", LARGEST_PAGE + 1, bytes(32))
    # No store is needed to know nothing of it.
    assert scanned(cast("Work", None), page, None) == Known(bytes(32), Scan())


def test_a_path_that_only_the_mirror_makes_too_long_is_missing(tmp_path: Path) -> None:
    mirror = Mirror(SnapshotSettings(), tmp_path)
    place = place_of("/" + "a" * 200, "/".join(["b" * 200] * 5))
    assert not mirror.take(Resource(place, digest=bytes(32), size=1), "a course")
    assert not mirror.files
    [(item, why)] = mirror.report.missing
    assert item == "a course"
    assert "1024" in why


def test_where_files_of_modules_lie() -> None:
    assert [place_of("/", "a.htm"), place_of("/x/y", "a/b.htm"), place_of("/sitemap.xml", ".")] == [
        "a.htm",
        "x/y/a/b.htm",
        "sitemap.xml",
    ]


def test_paths_that_links_mean() -> None:
    assert path_of("/a//b%20c") == "a/b c"
    assert path_of("%E9") == "é"
    assert path_of("e\u0301") == "é"
    assert joined("a/b.htm", "") == "a/"
    assert joined("b.htm", "") == ""
    assert joined("b.htm", "..") == ".."
