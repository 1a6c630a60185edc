"""What goes into a package, what it is called, and its table of contents."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archives import Form, PackageError, package_name, packaged
from archives.content import Content, time_of
from archives.layout import Entry, lay_out
from archives.naming import identifier
from archives.organization import Item, organize
from archives.templates import filled
from config import PackageSettings
from packageslip import Kind, Packageslip, Resource
from support.sample_module import OPTIONS, Blobs

URL = "/courses/knots"
SLIP = Packageslip(URL, title="Knots & <more>", module_short_id="knots-2026", uid="abc")


def named(**options: object) -> str:
    return package_name(SLIP, PackageSettings.model_validate(options))


def test_a_package_is_called_by_the_short_id() -> None:
    assert named() == "knots-2026"
    assert named(name="$uid") == "abc"
    assert named(name="ocw-${short_id}") == "ocw-knots-2026"
    bare = replace(SLIP, module_short_id=None, uid=None)
    assert package_name(bare, PackageSettings(name="$short_id-$uid")) == "knots-knots"
    assert package_name(replace(bare, url="/"), PackageSettings()) == "site"


@pytest.mark.parametrize("name", ["$title", "$", "a/b", "..", "a\nb", ".hidden", "con", ""])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(PackageError, match=r"packages\.name"):
        named(name=name)


def test_identifiers_of_different_paths_differ() -> None:
    assert identifier("r_", "contents/a b.htm") == "r_contents.a_20_b.htm"
    assert len({identifier("r_", path) for path in ("a b", "a_b", "a%b", "aüb")}) == 4


def resources(*paths: str, **more: Kind) -> list[Resource]:
    return [Resource(path, more.get("kind", Kind.FILE)) for path in paths]


def packed(form: Form, slip: Packageslip, *, media: bool = False, **options: object) -> list[str]:
    return [each.path for each in packaged(slip, form, PackageSettings.model_validate(options), media=media)]


def test_video_is_never_in_by_accident() -> None:
    slip = replace(
        SLIP,
        resources=(
            Resource("a.bin", Kind.MEDIA),
            Resource("b.bin", Kind.FILE, "video/mp4"),
            Resource("c.MP4"),
            Resource("d.bin", Kind.FILE, "Audio/mpeg; x=y"),
            Resource("e.txt"),
        ),
    )
    assert packed(Form.DOWNLOAD, slip) == ["e.txt"]
    assert packed(Form.IMSCP, slip, include=["file", "media"]) == ["e.txt"]
    assert len(packed(Form.DOWNLOAD, slip, media=True)) == 5


def test_kinds_and_downloads_are_chosen() -> None:
    slip = replace(SLIP, resources=(Resource("b.htm", Kind.PAGE), Resource("a.srt", Kind.CAPTION), Resource("c", download=False)))
    assert packed(Form.DOWNLOAD, slip) == ["a.srt", "b.htm"]
    assert packed(Form.IMSCP, slip) == ["a.srt", "b.htm", "c"]
    assert packed(Form.IMSCP, slip, include=["page"]) == ["b.htm"]


def test_a_sidecar_goes_with_its_resource_into_archives_alone() -> None:
    slip = replace(
        SLIP,
        resources=(
            *resources("a.pdf", "v.mp4", "data.xml"),
            *resources("a.pdf.xml", "v.mp4.xml", "about.xml", "alone.pdf.xml", kind=Kind.METADATA),
        ),
    )
    assert packed(Form.DOWNLOAD, slip) == ["a.pdf", "about.xml", "alone.pdf.xml", "data.xml"]
    assert packed(Form.IMSCP, slip) == ["a.pdf", "a.pdf.xml", "about.xml", "alone.pdf.xml", "data.xml"]


def test_the_moment_of_a_package_is_its_slips() -> None:
    def time(slip: Packageslip) -> int:
        return time_of(Content(slip, Blobs().open))

    old = replace(SLIP, resources=(Resource("a", modified=5), Resource("b", modified=9), Resource("c")))
    assert time(replace(old, modified=7)) == 7
    assert time(old) == 9
    assert time(SLIP) == 315_532_800


def tree(slip: Packageslip, *shared: Packageslip, options: PackageSettings = OPTIONS) -> list[object]:
    layout = lay_out(Content(slip, Blobs().open, shared), Form.IMSCP, options, media=False)
    return [_shown(item) for item in organize(slip, layout, options)]


def _shown(item: Item) -> object:
    return (item.title, [_shown(each) for each in item.children]) if item.children else item.title


def with_titles(**orders: int | None) -> Packageslip:
    found = [
        Resource(
            path.replace("__", "/").replace("_htm", ".htm"),
            Kind.PAGE if path.endswith("_htm") else Kind.FILE,
            order=order,
            title=path,
        )
        for path, order in orders.items()
    ]
    return replace(SLIP, resources=tuple(found))


def test_the_home_page_is_first_with_its_own_files_then_the_sections() -> None:
    slip = with_titles(b__index_htm=1, a__index_htm=2, a__x=4, a__w=3, z=5, index_htm=9)
    assert tree(slip) == [("index_htm", ["z"]), "b__index_htm", ("a__index_htm", ["a__w", "a__x"])]


def test_a_folder_without_any_order_comes_last() -> None:
    assert tree(with_titles(index_htm=0, b__x=None, a__b__y=None, z__w=4)) == [
        "index_htm",
        ("z", ["z__w"]),
        ("a", [("b", ["a__b__y"])]),
        ("b", ["b__x"]),
    ]


def test_without_an_order_paths_decide_and_numbers_count_by_their_value() -> None:
    slip = with_titles(index_htm=None, s__l10=None, s__l9=None, s__first=7, t=None)
    assert tree(slip) == [("index_htm", ["t"]), ("s", ["s__first", "s__l9", "s__l10"])]


def test_folders_nest_and_stand_where_their_index_page_does() -> None:
    slip = with_titles(index_htm=0, a__b__c__index_htm=5, a__m=6, a__b2__index_htm=7, a__index_htm=1, q__r__s=3)
    assert tree(slip) == [
        "index_htm",
        ("a__index_htm", [("b", ["a__b__c__index_htm"]), "a__m", "a__b2__index_htm"]),
        ("q", [("r", ["q__r__s"])]),
    ]


def test_a_module_without_an_index_page_begins_with_its_first_page() -> None:
    assert tree(with_titles(b=1, z_htm=2, a_htm=3)) == [("z_htm", ["b", "a_htm"])]
    assert tree(with_titles(b=1, c=2)) == [("b", ["c"])]


def test_a_tree_that_is_too_deep_is_refused() -> None:
    with pytest.raises(PackageError, match="lies more than 64 folders deep"):
        tree(replace(SLIP, resources=(Resource("a/" * 65 + "x"),)))
    assert tree(replace(SLIP, resources=(Resource("a/" * 60 + "x"),)))


def test_what_has_no_title_is_called_by_its_name() -> None:
    slip = replace(
        SLIP, title=None, resources=(Resource("index.htm", Kind.PAGE), Resource("s/index.htm", Kind.PAGE), Resource("s/x"))
    )
    assert tree(slip) == ["knots", ("s", ["x"])]


def test_closing_pages_end_the_table_and_must_be_shared() -> None:
    terms = Packageslip("/terms", (Resource("index.htm", Kind.PAGE),))
    options = PackageSettings.model_validate({"closing": [{"page": "/terms/", "title": "Terms"}]})
    slip = with_titles(index_htm=0)
    assert tree(slip, terms, options=options) == ["index_htm", "Terms"]
    with pytest.raises(PackageError, match=r"packages\.closing names /terms/"):
        tree(slip, options=options)


def test_a_module_that_is_one_file_is_packed_under_its_own_name() -> None:
    slip = Packageslip("/feeds/news.xml", (Resource("."),))
    layout = lay_out(Content(slip, Blobs().open), Form.DOWNLOAD, OPTIONS, media=False)
    assert [(each.path, each.url) for each in layout.contents] == [("contents/news.xml", "/feeds/news.xml")]


def test_shared_modules_lie_under_common_by_their_urls() -> None:
    shared = (
        Packageslip("/a/images", (Resource("x.png"), Resource("x.png.xml", Kind.METADATA), Resource("v.mp4"))),
        Packageslip("/favicon.ico", (Resource("."),)),
        Packageslip(URL, (Resource("index.htm"),)),
        Packageslip("/", (Resource("root.css"),)),
    )
    layout = lay_out(Content(with_titles(index_htm=0), Blobs().open, shared), Form.DOWNLOAD, OPTIONS, media=False)
    assert [each.path for each in layout.common] == ["common/a/images/x.png", "common/favicon.ico", "common/root.css"]


def test_what_a_shared_module_keeps_out_of_downloads_is_in_archives_alone() -> None:
    shared = (Packageslip("/a", (Resource("font.ttf", download=False), Resource("x.png"))),)
    content = Content(with_titles(index_htm=0), Blobs().open, shared)

    def common(form: Form) -> list[str]:
        return [each.path for each in lay_out(content, form, OPTIONS, media=False).common]

    assert common(Form.DOWNLOAD) == ["common/a/x.png"]
    assert common(Form.IMSCP) == ["common/a/font.ttf", "common/a/x.png"]


def test_only_what_pages_use_is_shared_if_so_asked() -> None:
    blobs = Blobs()

    def file(path: str, text: str = "") -> Resource:
        kind = Kind.PAGE if path.endswith(".htm") else Kind.FILE
        return Resource(path, kind, size=len(text), digest=blobs.put(text.encode()))

    styles = Packageslip("/styles", (file("a.css", "@import 'b.css'; x{y:url(/images/1.png)}"), file("b.css"), file("c.css")))
    images = Packageslip("/images", (file("1.png"), file("2.png"), file("3.png")))
    terms = Packageslip("/terms", (file("index.htm", "<img src='/images/3.png'><a href='/courses/knots/'>"),))
    slip = replace(SLIP, resources=(file("index.htm", "<link href='/styles/a.css'><a href='/styles/a.css'><a href='/gone'>"),))
    content = Content(slip, blobs.open, (styles, images, terms))
    options = {"shared_files": "used", "site": "https://x.example"}
    layout = lay_out(content, Form.DOWNLOAD, PackageSettings.model_validate(options), media=False)
    assert [each.path for each in layout.common] == ["common/images/1.png", "common/styles/a.css", "common/styles/b.css"]
    closing = PackageSettings.model_validate(options | {"closing": [{"page": "/terms", "title": "Terms"}]})
    layout = lay_out(content, Form.DOWNLOAD, closing, media=False)
    assert {"common/images/3.png", "common/terms/index.htm"} < {each.path for each in layout.common}


def test_texts_are_filled_in_and_escaped_in_pages(tmp_path: Path) -> None:
    assert b"<title>Knots &amp; &lt;more&gt;</title>" in filled("START.htm", SLIP, OPTIONS, start="contents/a&b.htm")
    assert b'href="contents/a&amp;b.htm"' in filled("START.htm", SLIP, OPTIONS, start="contents/a&b.htm")
    readme = filled(
        "ReadMe.txt", SLIP, PackageSettings(license="CC0", contact="a@example.org", site="https://x.example/"), absent="video"
    )
    assert all(
        word in readme.decode() for word in ("Knots & <more>", "CC0", "a@example.org", "https://x.example/courses/knots", "video")
    )
    (tmp_path / "ReadMe.txt").write_text("$name of $system, ${title}\r\n", newline="")
    own = PackageSettings(texts=tmp_path, system="OCW")
    assert filled("ReadMe.txt", SLIP, own) == b"knots-2026 of OCW, Knots & <more>\r\n"
    assert b"<title>" in filled("START.htm", SLIP, own, start="x")


@pytest.mark.parametrize("text", [b"$nothing", b"100 $", b"\xff"])
def test_a_template_that_cannot_be_used_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "ReadMe.txt").write_bytes(text)
    with pytest.raises(PackageError, match=r"the template .*ReadMe\.txt cannot be"):
        filled("ReadMe.txt", SLIP, PackageSettings(texts=tmp_path))


class Looked(tuple[Entry, ...]):  # noqa: SLOT001 - it counts
    """Counts how often somebody goes through it."""

    times = 0

    def __iter__(self) -> Iterator[Entry]:
        self.times += 1
        return super().__iter__()


def test_the_home_page_is_looked_for_once_however_many_files_ask() -> None:
    layout = lay_out(
        Content(replace(SLIP, resources=tuple(resources("a.htm", "b.htm"))), Blobs().open),
        Form.IMSCP,
        PackageSettings(),
        media=False,
    )
    looked = Looked(layout.contents)
    counted = replace(layout, contents=looked)
    first, before = counted.home, looked.times
    assert first is counted.home is not None
    assert looked.times == before
