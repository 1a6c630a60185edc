"""The directory source: a folder is read as it is, never outside of it, and never half."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from packageslip import BadSlip, CatalogueEntry, Packageslip, Resource, UnsafePath, View, ViewKind
from sources import (
    AccessRefused,
    DirectorySource,
    Fetched,
    NoSuchModule,
    ResourceMissing,
    SourceChanged,
    SourceUnreachable,
    Want,
    WrongBytes,
)
from store import Incoming, Store
from support.physics import FILES, SLIP, URL, digest, make_site, put, put_slip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def source(site: Path) -> DirectorySource:
    return DirectorySource("site", site)


def building(site: Path) -> DirectorySource:
    return DirectorySource("site", site, build_slips=True)


def fetch_one(source: DirectorySource, store: Store, file: Resource | View, **known: object) -> Fetched:
    (fetched,) = source.fetch(SLIP, [Want(file, **known)], store)  # type: ignore[arg-type]
    return fetched


def test_the_root_can_be_a_module(source: DirectorySource, site: Path) -> None:
    put_slip(site).rename(site / "packageslip.xml")
    with pytest.raises(BadSlip, match="/courses/physics"):
        source.slip("/")


def test_a_folder_without_a_slip_is_no_module(source: DirectorySource) -> None:
    with pytest.raises(NoSuchModule, match=r"slipway slip build.*build_slips = true"):
        source.slip("/courses")


def test_a_slip_is_made_for_a_folder_that_has_none_if_asked(site: Path) -> None:
    (site / "courses/physics/packageslip.xml").unlink()
    slip = building(site).slip(URL)
    assert {file.path: file.digest for file in slip.files()} == {path: digest(content) for path, content in FILES.items()}
    assert building(site).still(slip)
    put(site, "index.htm", b"changed")
    assert not building(site).still(slip)


def test_a_slip_that_is_there_is_preferred_to_one_made(site: Path) -> None:
    assert building(site).slip(URL) == SLIP


def test_a_made_slip_leaves_other_modules_alone(site: Path) -> None:
    (site / "courses/index.htm").write_text("courses")
    assert [file.path for file in building(site).slip("/courses").files()] == ["index.htm"]


def test_a_folder_that_changes_while_its_slip_is_made_is_read_again_later(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "courses/physics/packageslip.xml").unlink()

    def growing(descriptor: int) -> os.stat_result:
        status = list(os.stat(descriptor))
        status[6] += 1
        return os.stat_result(status)

    monkeypatch.setattr(os, "fstat", growing)
    with pytest.raises(SourceChanged, match="changed while it was read"):
        building(site).slip(URL)


def test_a_folder_with_names_that_cannot_be_published_is_a_bad_slip(site: Path) -> None:
    (site / "courses/physics/packageslip.xml").unlink()
    put(site, "a:b", b"")
    with pytest.raises(BadSlip, match="a:b"):
        building(site).slip(URL)


def test_nothing_to_build_from_is_no_module(site: Path) -> None:
    with pytest.raises(NoSuchModule, match="correct the URL"):
        building(site).slip("/courses/chemistry")
    assert not building(site).still(Packageslip("/courses/chemistry"))


def test_modules_are_the_folders_with_slips(source: DirectorySource, site: Path) -> None:
    (site / "courses/physics/seminar").mkdir()
    (site / "courses/physics/seminar/packageslip.xml").write_text("not a slip")
    (site / ".git").mkdir()
    (site / ".git/packageslip.xml").write_text("hidden")
    assert list(source.modules()) == [CatalogueEntry(URL, "course", None, "7"), CatalogueEntry(f"{URL}/seminar")]


def test_a_folder_without_any_slip_is_one_module_if_slips_are_made(site: Path) -> None:
    assert [entry.url for entry in building(site).modules()] == [URL]
    (site / "courses/physics/packageslip.xml").unlink()
    assert list(building(site).modules()) == [CatalogueEntry("/")]
    assert len(building(site).slip("/").resources) == len(FILES)


def test_a_folder_that_is_not_mounted_is_unreachable_and_not_empty(tmp_path: Path, store: Store) -> None:
    source = DirectorySource("site", tmp_path / "absent", build_slips=True)
    for ask in (
        lambda: source.slip(URL),
        lambda: list(source.modules()),
        lambda: fetch_one(source, store, Resource("index.htm")),
    ):
        with pytest.raises(SourceUnreachable, match="is it mounted"):
            ask()
    assert [works for _, works, _ in source.check()] == [False]


def test_a_probe_tells_what_to_do_with_an_empty_folder(tmp_path: Path) -> None:
    assert [works for _, works, _ in DirectorySource("site", tmp_path).check()] == [True, False]
    assert [works for _, works, _ in building(tmp_path).check()] == [True, True]


def test_a_file_is_found_by_its_href(source: DirectorySource, store: Store, site: Path) -> None:
    put(site, "views/a b.json", b"{}")
    (site / "shared.css").write_bytes(b"css")
    assert fetch_one(source, store, View("index.json", ViewKind.JSON, href="views/a%20b.json?lang=en")).digest == digest(b"{}")
    assert fetch_one(source, store, Resource("style.css", href="/shared.css")).digest == digest(b"css")


@pytest.mark.parametrize("href", ["../../../secret", "/../secret", "%2e%2e/%2e%2e/%2e%2e/secret"])
def test_an_href_that_leads_outside_is_refused(source: DirectorySource, store: Store, site: Path, href: str) -> None:
    (site.parent / "secret").write_text("secret")
    with pytest.raises(AccessRefused, match="link out"):
        fetch_one(source, store, Resource("x", href=href))


def test_an_unsafe_path_is_refused(source: DirectorySource, store: Store) -> None:
    with pytest.raises(UnsafePath):
        fetch_one(source, store, Resource("../packageslip.xml"))


def test_links_inside_are_followed_and_links_outside_refused(source: DirectorySource, store: Store, site: Path) -> None:
    folder = site / "courses/physics"
    (site.parent / "secret").write_text("secret")
    (folder / "inside").symlink_to(folder / "index.htm")
    (folder / "outside").symlink_to(site.parent / "secret")
    (folder / "up").symlink_to(site.parent)
    (folder / "self").symlink_to(folder / "self")
    assert fetch_one(source, store, Resource("inside")).digest == digest(FILES["index.htm"])
    for path in ("outside", "up/secret"):
        with pytest.raises(AccessRefused, match="is a link out of"):
            fetch_one(source, store, Resource(path))
    with pytest.raises(AccessRefused, match="leads to itself"):
        fetch_one(source, store, Resource("self"))


def test_what_is_not_a_regular_file_is_refused_without_waiting(source: DirectorySource, store: Store, site: Path) -> None:
    os.mkfifo(site / "courses/physics/pipe")
    for path in ("pipe", "lecture-notes"):
        with pytest.raises(AccessRefused, match="not a regular file"):
            fetch_one(source, store, Resource(path))
    with pytest.raises(ResourceMissing, match="does not exist"):
        fetch_one(source, store, Resource("index.htm/below"))


def test_an_unreadable_file_says_so(source: DirectorySource, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(AccessRefused, match="may not be read by this account"):
        fetch_one(source, store, Resource("index.htm"))


def test_a_sick_disk_is_unreachable(source: DirectorySource, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def sick(*_args: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", sick)
    with pytest.raises(SourceUnreachable, match="Input/output error"):
        fetch_one(source, store, Resource("index.htm"))
    with pytest.raises(SourceUnreachable, match="Input/output error"):
        list(source.modules())


def test_an_unreadable_folder_is_not_left_out_of_the_modules_in_silence(
    source: DirectorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., object] = os.scandir

    def refused(folder: str) -> object:
        if str(folder).endswith("courses"):
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(AccessRefused, match="courses cannot be read: Permission denied"):
        list(source.modules())
    assert [works for _, works, _ in source.check()] == [False]


class Meddling(Store):
    """A store during whose writes somebody changes the file that is read."""

    def __init__(self, root: Path, meddle: Callable[[], object]) -> None:
        super().__init__(root)
        self.meddle = meddle

    def incoming(self) -> Incoming:
        self.meddle()
        return super().incoming()


def test_a_file_that_is_written_to_while_it_is_read_is_a_change(source: DirectorySource, tmp_path: Path, site: Path) -> None:
    def grow() -> None:
        with (site / "courses/physics/index.htm").open("ab") as file:
            file.write(b"more")

    with pytest.raises(SourceChanged, match="was written to while it was read"):
        fetch_one(source, Meddling(tmp_path / "store", grow), Resource("index.htm"))


def test_a_file_that_its_cms_was_just_replacing_is_read_once_more(source: DirectorySource, tmp_path: Path, site: Path) -> None:
    right, file = FILES["index.htm"], site / "courses/physics/index.htm"
    file.write_bytes(b"not yet")

    def replace_it() -> None:
        file.with_suffix(".new").write_bytes(right)
        file.with_suffix(".new").replace(file)

    listed = Resource("index.htm", size=len(right), digest=digest(right))
    assert fetch_one(source, Meddling(tmp_path / "store", replace_it), listed).digest == digest(right)


@pytest.mark.parametrize("listed", [{"size": 5}, {"digest": b"x" * 32}])
def test_bytes_that_are_not_the_slips_are_named(source: DirectorySource, store: Store, listed: dict[str, object]) -> None:
    with pytest.raises(WrongBytes, match=r"index\.htm has 22 bytes and sha256:.*make the slip anew"):
        fetch_one(source, store, replace(Resource("index.htm"), **listed))  # type: ignore[arg-type]


def test_a_file_is_unchanged_until_it_is_touched(source: DirectorySource, store: Store, site: Path) -> None:
    first = fetch_one(source, store, Resource("index.htm"))
    known = {"etag": first.etag, "digest": first.digest, "size": first.size}
    assert fetch_one(source, store, Resource("index.htm"), **known) == replace(first, unchanged=True)
    put(site, "index.htm", FILES["index.htm"][::-1])
    changed = fetch_one(source, store, Resource("index.htm"), **known)
    assert (changed.unchanged, changed.size, changed.digest) == (False, first.size, digest(FILES["index.htm"][::-1]))
