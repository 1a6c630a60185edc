"""A slip can be made for any folder."""

import os
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from packageslip import (
    BadSlip,
    Kind,
    Packageslip,
    Resource,
    UnsafePath,
    View,
    ViewKind,
    build_slip,
    check_slip,
    on_target,
    read_slip,
    write_slip,
)


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
        os.utime(folder / path, (1569433654, 1569433654))


def test_a_folder_becomes_a_slip_in_reading_order(tmp_path: Path) -> None:
    fill(tmp_path, "z.css", "index.htm", "notes/b.pdf", "notes/index.html", "About.html")
    slip = build_slip(tmp_path, "/a", title="A", module_type="course")
    assert [(resource.path, resource.order) for resource in slip.resources] == [
        ("index.htm", 0),
        ("About.html", 1),
        ("z.css", 2),
        ("notes/index.html", 3),
        ("notes/b.pdf", 4),
    ]
    page = slip.resources[0]
    assert page == Resource("index.htm", Kind.PAGE, "text/html", 9, sha256(b"index.htm").digest(), 1569433654, order=0)
    assert (slip.title, slip.module_type) == ("A", "course")
    assert check_slip(write_slip(slip), "slip") == []


@pytest.mark.parametrize(
    ("name", "kind", "media_type"),
    [
        ("a.HTML", Kind.PAGE, "text/html"),
        ("a.xhtml", Kind.PAGE, "application/xhtml+xml"),
        ("a.png", Kind.IMAGE, "image/png"),
        ("a.svg", Kind.IMAGE, "image/svg+xml"),
        ("a.mp4", Kind.MEDIA, "video/mp4"),
        ("a.mp3", Kind.MEDIA, "audio/mpeg"),
        ("a.vtt", Kind.CAPTION, "text/vtt"),
        ("a.srt", Kind.CAPTION, "application/x-subrip"),
        ("imsmanifest.xml", Kind.METADATA, "application/xml"),
        ("a.pdf", Kind.FILE, "application/pdf"),
        ("a.js", Kind.FILE, "text/javascript"),
        ("a.tar.gz", Kind.FILE, "application/gzip"),
        ("a.unheard-of", Kind.FILE, "application/octet-stream"),
        ("LICENSE", Kind.FILE, "application/octet-stream"),
    ],
)
def test_kind_and_type_come_from_the_name(tmp_path: Path, name: str, kind: Kind, media_type: str) -> None:
    fill(tmp_path, name)
    resource = build_slip(tmp_path, "/a").resources[0]
    assert (resource.kind, resource.type) == (kind, media_type)


def test_what_is_not_the_modules_is_left_out(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "packageslip.xml",
        "packageslips.xml",
        ".slipway/x",
        ".git/config",
        ".DS_Store",
        "b/.hidden",
        "child/packageslip.xml",
        "child/page.htm",
    )
    fill(tmp_path, "a.htm", ".well-known/security.txt")
    assert [resource.path for resource in build_slip(tmp_path, "/a").resources] == ["a.htm", ".well-known/security.txt"]


def test_every_name_that_cannot_be_published_is_told_at_once(tmp_path: Path) -> None:
    fill(tmp_path, "a:b", "con.txt", "x.htm", "X.htm")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    with pytest.raises(BadSlip) as refused:
        build_slip(tmp_path, "/a")
    assert sorted(fault.rule for fault in refused.value.faults) == ["N10", "N16", "N19", "N19", "N20", "N3", "N8"]


def test_a_file_at_the_path_of_a_view_is_that_view(tmp_path: Path) -> None:
    fill(tmp_path, "index.htm", "rss.xml")
    slip = build_slip(tmp_path, "/a", views=(View("rss.xml", ViewKind.FEED),))
    assert [file.path for file in slip.files()] == ["index.htm", "rss.xml"]
    assert build_slip(tmp_path, "/a", previous=slip) == slip


@pytest.mark.parametrize("view", ["RSS.xml", "rss.xml/now"])
def test_a_view_cannot_be_where_a_file_is_in_the_way(tmp_path: Path, view: str) -> None:
    fill(tmp_path, "rss.xml")
    with pytest.raises(BadSlip, match="cannot both be published"):
        build_slip(tmp_path, "/a", views=(View(view, ViewKind.FEED),))


def test_a_wrong_module_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafePath):
        build_slip(tmp_path, "a/")


def test_an_earlier_slip_gives_what_a_folder_cannot_tell_and_no_digests(tmp_path: Path) -> None:
    fill(tmp_path, "a.htm", "b.htm")
    known = Resource("a.htm", Kind.TRANSCRIPT, "text/html", 9, b"\0" * 32, 1, '"e"', "/x", "uid", "Title", 7, download=False)
    previous = on_target(
        Packageslip("/old", (known,), (View("v", ViewKind.JSON, None, 1, b"\1" * 32),), title="T", uid="u"), serial=1, queue="q"
    )
    slip = build_slip(tmp_path, "/a", previous=previous, title="New")
    assert (slip.url, slip.title, slip.uid, slip.views, slip.serial, slip.version, slip.queue) == (
        "/a",
        "New",
        "u",
        (View("v", ViewKind.JSON),),
        None,
        None,
        None,
    )
    assert slip.resources[0] == Resource(
        "a.htm",
        Kind.TRANSCRIPT,
        "text/html",
        5,
        sha256(b"a.htm").digest(),
        1569433654,
        None,
        None,
        "uid",
        "Title",
        0,
        download=False,
    )


def test_times_that_no_target_can_store_are_moved_to_the_nearest(tmp_path: Path) -> None:
    fill(tmp_path, "a.htm", "b.htm")
    os.utime(tmp_path / "a.htm", (-5, -5))
    os.utime(tmp_path / "b.htm", (2**33, 2**33))
    assert [resource.modified for resource in build_slip(tmp_path, "/a").resources] == [0, 2**32 - 1]


def test_a_file_that_changes_while_it_is_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "log.txt")

    def grown(descriptor: int) -> os.stat_result:
        with (tmp_path / "log.txt").open("a") as log:
            log.write("more")
        return os.stat(descriptor)

    monkeypatch.setattr(os, "fstat", grown)
    with pytest.raises(BadSlip, match="changed while it was read"):
        build_slip(tmp_path, "/a")


def test_a_real_course_becomes_a_slip(tmp_path: Path) -> None:
    place = os.environ.get("SLIPWAY_REAL_DATA")
    if not place:
        pytest.skip("SLIPWAY_REAL_DATA is not set: no real course at hand")
    with ZipFile(Path(place, "6-868j-spring-2007.zip")) as archive:
        archive.extractall(tmp_path)
    slip = build_slip(tmp_path, "/courses/electrical-engineering-and-computer-science/6-868j-spring-2007")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {resource.path for resource in slip.resources} == files
    document = write_slip(slip)
    assert read_slip(document, "slip", url=slip.url) == slip
    assert check_slip(document, "slip") == []
