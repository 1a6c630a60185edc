"""Links of pages, where they stand, however broken the page is."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives import Linker, addresses, rewrite_page, scan_page
from archives.mirror_html import class_file, unescaped
from archives.mirror_marks import Form


def values(page: str | bytes, *, sheet: bool = False) -> list[str]:
    return [mark.value for mark in scan_page(page if isinstance(page, bytes) else page.encode(), sheet=sheet).marks]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<a href=x>", ["x"]),
        ("<a href = 'x'>", ["x"]),
        ('<A\nHREF\t=\n"x"\n>', ["x"]),
        ("<a href=x/>", ["x/"]),
        ("<a href='a' href='b'>", ["a"]),
        ("<a name='<a href=y>' href=x>", ["x"]),
        ("<a href>", []),
        ("<a href=>", [""]),
        ("<a =href=x href=y>", ["y"]),
        ("<a href=x", []),
        ("<a href='x", []),
        ("<a href='x'", []),
        ("<a href=x><", ["x"]),
        ("< a href=x>", []),
        ("<1a href=x>", []),
        ("</a href=x>", []),
        ("<!-- <a href=x> --><a href=y>", ["y"]),
        ("<!-- <a href=x> --!><a href=y>", ["y"]),
        ("<!--><a href=y>", ["y"]),
        ("<!---><a href=y>", ["y"]),
        ("<!-- <a href=x>", []),
        ("<!DOCTYPE html '<a href=x'><a href=y>", ["y"]),
        ("<?php <a href=x> ?><a href=y>", ["y"]),
        ("<? never closed", []),
        ("<![CDATA[<a href=x>]]><a href=y>", ["y"]),
        ("<script><a href=x></script><a href=y>", ["y"]),
        ("<script><a href=x></scripts><a href=y></SCRIPT ><a href=z>", ["z"]),
        ("<script><a href=x>", []),
        ("<title><a href=x></title><textarea><a href=x></textarea><xmp><a href=x></xmp><a href=y>", ["y"]),
        ("<noscript><img src=x></noscript><noframes><a href=y></noframes>", ["x", "y"]),
        ("<iframe src=x><a href=y></iframe>", ["x"]),
        ("<svg><use xlink:href=x /><image href=y /></svg>", ["x", "y"]),
        ("<style>a{background:url(x)} /* url(y) */</style><p style='background:url(z)'>", ["x", "background:url(z)"]),
        ("<link rel=stylesheet href=x><link rel=Canonical href=y>", ["x"]),
        ("<meta http-equiv=REFRESH content='0;url=x'><meta name=x content='url=y'><meta http-equiv=refresh>", ["0;url=x"]),
        ("<base target=_top><base href=x><base href=y>", ["x"]),
        ("<param name=movie value=x><param name=other value=y><param name=movie>", ["x"]),
        ("<body background=x><td background=y><form action=z><input src=i><button formaction=b>", ["x", "y", "z", "i", "b"]),
        ("<a href='&#x78;&#120;&amp;&eacute;&copy=1&copy;&unknown;&#0;'>", ["xx&é&copy=1©&unknown;\ufffd"]),
    ],
)
def test_links_are_found_as_browsers_find_them(page: str, found: list[str]) -> None:
    assert values(page) == found


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<applet code=Ball>", [("code", "Ball.class", "")]),
        ("<applet code=a.Ball.class codebase=x>", [("code", "a/Ball.class", "x"), ("codebase", "x", "a/Ball.class")]),
        (
            "<applet code=B codebase=x archive='a.jar, b.jar'></applet>",
            [("codebase", "x", "a.jar"), ("archive", "a.jar, b.jar", "x")],
        ),
        ("<applet width=3></applet>", []),
        ("<object classid='java:Ball.class' codebase=x></object>", []),
        ("<object classid='java:B' code=B></object>", [("code", "B.class", "")]),
        ("<object classid='clsid:1' codebase='http://x/y.cab' archive=z></object>", []),
        ("<object type='application/x-java-applet'><param name=code value=B></object>", [("code", "B.class", "")]),
        ("<embed type='application/x-java-applet' code=B codebase=x>", [("code", "B.class", "x"), ("codebase", "x", "B.class")]),
        ("<applet><param name=CODE value=B><param name=code value=C>", [("code", "B.class", "")]),
    ],
)
def test_applets_are_made_of_their_parts(page: str, found: list[tuple[str, str, str]]) -> None:
    marks = scan_page(page.encode(), sheet=False).marks
    assert [(str(mark.form), mark.value, mark.beside) for mark in marks] == found


@pytest.mark.parametrize(
    ("sheet", "found"),
    [
        ("a{b:url(x)}", ["x"]),
        ("a{b:URL( 'x' ) url(\"y\")}", ["x", "y"]),
        ("@import 'x'; @import \"y\" screen; @import url(z);", ["x", "y", "z"]),
        ("a{content:'url(x)'} b{content:\"url(y)\"}", []),
        ("/* url(x) */ /* url(y)", []),
        ("a{b:url(x\\29\\000020y\\z\\0 )}", ["x)\u0020yz\ufffd"]),
        ("a{b:url()}", []),
        ("a{b:'url(x)\nc:url(y)}", ["y"]),
        ("a{b:\\'url(x)'url(y)", ["x"]),
    ],
)
def test_style_sheets(sheet: str, found: list[str]) -> None:
    assert values(sheet, sheet=True) == found


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "windows-1252", "shift_jis", "gb18030", "iso-2022-jp", "utf-16"]
)
def test_a_page_keeps_its_encoding(encoding: str) -> None:
    text = "日本" if encoding in {"utf-8", "utf-8-sig", "shift_jis", "gb18030", "iso-2022-jp", "utf-16"} else "é"
    page = f"<meta charset={encoding.removesuffix('-sig')}><p>{text} <a href='{text}.htm'>{text}</a>".encode(encoding)
    [mark] = scan_page(page, sheet=False).marks
    assert mark.value == f"{text}.htm"
    bare = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
    changed = page.replace(f"'{text}.htm'".encode(bare), "'new&amp;'".encode(bare))
    assert changed != page
    assert rewrite_page(page, {mark: "new&"}) == changed


@pytest.mark.parametrize(
    ("page", "value"),
    [
        (b"<meta charset=no-such-thing><a href='\xe9'>", "\xe9"),
        (b"<meta charset=base64><a href='\xe9'>", "\xe9"),
        (b"<meta charset=utf-16><a href='\xc3\xa9'>", "\xe9"),
        (b"<meta charset=iso-2022-jp><a href='\x1b(Z\xff'>", "\x1b(Z\ufffd"),
        (b"<a href='\xe9'>", "\xe9"),
        (b"<meta charset=undefined><a href='\xe9'>", "\xe9"),
        (b"<meta charset=idna><a href='\xe9'>", "\xe9"),
        (b"<meta charset=unicode-escape><a href='\\ud800'>", "\\ud800"),
        (b"\xff\xfe" + "<a href='\ud800'>".encode("utf-16-le", "surrogatepass"), "\ufffd"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?><a href='\xe9'/>", "\xe9"),
    ],
)
def test_what_a_page_says_wrongly_about_its_encoding_is_overlooked(page: bytes, value: str) -> None:
    scan = scan_page(page, sheet=False)
    assert [mark.value for mark in scan.marks] == [value]
    assert rewrite_page(page, {}) == page


@pytest.mark.parametrize(
    ("page", "value", "made"),
    [
        ("<a href=x>", "a b", '<a href="a b">'),
        ("<a href=x>", "", '<a href="">'),
        ("<a href=x>", 'a"b', '<a href="a&quot;b">'),
        ('<a href="x">', "a\"b'c&d<e", '<a href="a&quot;b\'c&amp;d&lt;e">'),
        ("<a href='x'>", "a\"b'c", "<a href='a\"b&#39;c'>"),
        ("<p style='é url(x)'>", "é url(y)", "<p style='&#233; url(y)'>"),
    ],
)
def test_values_are_written_as_their_place_allows(page: str, value: str, made: str) -> None:
    [mark] = scan_page(page.encode(), sheet=False).marks
    assert rewrite_page(page.encode(), {mark: value}).decode() == made


def test_a_page_that_is_too_large_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archives.mirror_pages.LARGEST", 10)
    assert scan_page(b"<a href=x>y", sheet=False).marks == ()
    assert len(scan_page(b"<a href=x>", sheet=False).marks) == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<img srcset='" + "a (" * 30000 + "'>",
        "<img srcset='a" + "," * 90000 + " '>",
        "<meta http-equiv=refresh content='" + " " * 90000 + "'>",
        "<style>" + "url(" * 30000 + "</style>",
        "<style>" + "url('" * 30000,
        "<style>" + '\\"' * 90000,
        "<p style='" + '\\"' * 90000 + "'>",
        "<img srcset='" + "," * 180000 + "'>",
        "<img srcset='a," + " " * 180000 + "'>",
        "<a href='&#" + "1" * 90000 + ";'>",
        "<a " * 50000,
        "<!--" * 50000,
        "<title>" * 30000,
        "<a href='" + "&" * 90000 + "../" * 30000 + "'>",
    ],
)
def test_no_page_takes_long(hostile: str) -> None:
    """The text is a few hundred thousand characters: what is not linear would never end."""
    linker = Linker((), (), {"x"}.__contains__, {}, ())
    scan = scan_page(hostile.encode(), sheet=False)
    assert len(list(addresses(linker, linker.standing("x", None), scan))) < 100_000


def test_names_of_classes() -> None:
    assert [class_file(name) for name in ("Ball", "Ball.class", "a.b.Ball", "java:a/b/Ball.class")] == [
        "Ball.class",
        "Ball.class",
        "a/b/Ball.class",
        "a/b/Ball.class",
    ]


def test_numbers_that_are_no_character_are_replaced() -> None:
    assert unescaped(f"&#65;&#{'0' * 5000}66;&#x{'0' * 5000}43;&#{'9' * 5000};&#x110000;&#xd800;&#0;") == "ABC" + "\ufffd" * 4


def test_references_that_are_none_stay() -> None:
    assert unescaped("a=1&b=2&lt=3&amp;x&") == "a=1&b=2&lt=3&x&"


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "a",
        " ",
        "href",
        "=",
        "'",
        '"',
        "x",
        "/",
        "!--",
        "-->",
        "script",
        "style",
        "url(",
        ")",
        "&",
        "\n",
        "base",
        "é",
        "]",
    ]
)


@given(st.lists(PIECES, max_size=60))
def test_any_page_can_be_read_and_written_back(pieces: list[str]) -> None:
    page = "".join(pieces).encode()
    scan = scan_page(page, sheet=False)
    assert rewrite_page(page, {}) == page
    spans = [(mark.start, mark.end) for mark in scan.marks]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans)), "values do not overlap"
    changed = rewrite_page(page, {mark: "new.htm" for mark in scan.marks if mark.form is Form.URL})
    assert len(scan_page(changed, sheet=False).marks) == len(scan.marks)


@given(st.lists(PIECES, max_size=60))
def test_any_style_sheet_can_be_read_and_written_back(pieces: list[str]) -> None:
    sheet = "".join(pieces).encode()
    scan = scan_page(sheet, sheet=True)
    changed = rewrite_page(sheet, dict.fromkeys(scan.marks, "new.png"))
    assert [mark.value for mark in scan_page(changed, sheet=True).marks] == ["new.png"] * len(scan.marks)
