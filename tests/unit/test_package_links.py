"""Links of packaged pages: found as a browser finds them, changed in place, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives.links import Places, relink_page, relink_sheet, resolve
from archives.markup import Link, change_page, change_sheet, links_of_page, links_of_sheet

MODULE = "/courses/knots"
PLACES = Places(
    {
        f"{MODULE}/index.htm": "contents/index.htm",
        f"{MODULE}/notes/index.htm": "contents/notes/index.htm",
        f"{MODULE}/notes/l1.pdf": "contents/notes/l1.pdf",
        f"{MODULE}/notes/Übung 1%.pdf": "contents/notes/Übung 1%.pdf",
        "/images/logo.png": "common/images/logo.png",
        "/styles/site.css": "common/styles/site.css",
        "/terms/index.html": "common/terms/index.html",
    },
    "https://ocw.example.edu/",
)


def moved(value: str, page: str = "notes/index.htm", places: Places = PLACES) -> str:
    """What the href of a link becomes on a page."""
    text = f'<a href="{value}">'.encode()
    changed = relink_page(text, f"{MODULE}/{page}", f"contents/{page}", places)
    return changed.decode().removeprefix('<a href="').removesuffix('">')


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (f"{MODULE}/index.htm", "../index.htm"),
        (f"{MODULE}/notes/l1.pdf#page=2", "l1.pdf#page=2"),
        (f"{MODULE}/notes/l1.pdf?download=1&amp;x=2", "l1.pdf?download=1&amp;x=2"),
        (f"{MODULE}/notes/%C3%9Cbung%201%25.pdf", "%C3%9Cbung%201%25.pdf"),
        (f"{MODULE}/notes/Übung 1%25.pdf", "%C3%9Cbung%201%25.pdf"),
        (f"{MODULE}/", "../index.htm"),
        (MODULE, "../index.htm"),
        (f"{MODULE}/notes/", "index.htm"),
        ("/terms/", "../../common/terms/index.html"),
        ("/images/logo.png", "../../common/images/logo.png"),
        ("https://ocw.example.edu/images/logo.png", "../../common/images/logo.png"),
        ("http://OCW.example.edu/images/logo.png", "../../common/images/logo.png"),
        ("//ocw.example.edu/images/logo.png", "../../common/images/logo.png"),
        ("../../../images/logo.png", "../../common/images/logo.png"),
        ("  /images/logo.png ", "../../common/images/logo.png"),
        ("/about/", "https://ocw.example.edu/about/"),
        ("/about?a=1#b", "https://ocw.example.edu/about?a=1#b"),
        ("../missing.htm", f"https://ocw.example.edu{MODULE}/missing.htm"),
        ("//cdn.example.com/x.js", "https://cdn.example.com/x.js"),
        ("//ocw.example.edu", "https://ocw.example.edu/"),
        ("//ocw.example.edu/about?a", "https://ocw.example.edu/about?a"),
        ("..\\..\\..\\images\\logo.png", "../../common/images/logo.png"),
        ("\\images\\logo.png?a\\b", "../../common/images/logo.png?a\\b"),
        ("/ima\nges/lo\tgo.png#a\nb", "../../common/images/logo.png#ab"),
        ("/fonts/icons.eot?#iefix", "https://ocw.example.edu/fonts/icons.eot?#iefix"),
    ],
)
def test_a_link_is_relative_inside_the_package_and_absolute_outside(was: str, becomes: str) -> None:
    assert moved(was) == becomes


@pytest.mark.parametrize(
    "value",
    [
        "l1.pdf",
        "../index.htm",
        "../../common/images/logo.png",
        "#top",
        "",
        "?page=2",
        "mailto:ocw@example.edu",
        "javascript:void(0)",
        "data:image/gif;base64,R0lGOD",
        "https://elsewhere.example.com/x",
        "https://ocw.example.edu/about",
        "http://[bad",
        "..\\index.htm",
        "C:\\course\\index.htm",
    ],
)
def test_a_link_that_is_good_already_stays_byte_for_byte(value: str) -> None:
    assert moved(value) == value


def test_without_a_site_links_that_leave_the_package_stay() -> None:
    places = Places(PLACES.by_url)
    assert moved("/about/", places=places) == "/about/"
    assert moved("/images/logo.png", places=places) == "../../common/images/logo.png"


def test_a_folder_may_have_marks_of_urls_in_its_name() -> None:
    assert moved("x.pdf", "c#?%2F/index.htm") == f"https://ocw.example.edu{MODULE}/c%23%3F%252F/x.pdf"
    assert moved("../notes/", "c#?/index.htm") == "../notes/index.htm"


def page(text: str, path: str = "index.htm") -> str:
    return relink_page(text.encode(), f"{MODULE}/{path}", f"contents/{path}", PLACES).decode()


def test_a_canonical_link_stays_on_the_site() -> None:
    absolute = f'<link rel="canonical" href="https://ocw.example.edu{MODULE}/index.htm">'
    assert page(absolute) == absolute
    assert page('<link href="index.htm" rel=canonical>') == '<link href="index.htm" rel=canonical>'
    assert page(f'<link rel="shortlink" href="{MODULE}/index.htm">') == absolute.replace("canonical", "shortlink")


def test_a_base_is_emptied_and_counts_for_the_links_behind_it() -> None:
    assert page('<base href="/images/"><img src="logo.png"><a href="#x">') == (
        '<base href=""><img src="../common/images/logo.png"><a href="#x">'
    )
    assert page('<base href="/images/"><base href="/x/"><img src="logo.png">') == (
        '<base href=""><base href="/x/"><img src="../common/images/logo.png">'
    )
    elsewhere = '<base href="https://elsewhere.example.com/">'
    assert page(elsewhere + '<a href="x"><a href="/images/logo.png">') == elsewhere + '<a href="x"><a href="/images/logo.png">'
    site = 'href="https://ocw.example.edu/images/logo.png"'
    assert page(f"{elsewhere}<a {site}>") == f'{elsewhere}<a href="../common/images/logo.png">'
    assert page('<base target="_top"><img src="/images/logo.png">') == '<base target="_top"><img src="../common/images/logo.png">'


def test_every_kind_of_link_is_found() -> None:
    text = """
      <LINK REL="StyleSheet" HREF='/styles/site.css'><script src=/s.js></script><img src="/i" srcset="/a 1x, /b 2x, /c" longdesc=/l>
      <form action=/f><button formaction=/g></button></form><body background="/bg"><video poster=/p><source src=/v></video>
      <object data=/d codebase=/cb></object><applet code=C.class archive=/a.jar></applet><param name=Movie value=/m>
      <param name=color value=/red><p style="background: url(/st)" cite=/c2 data="/no">x</p><style>@import "/im"; b{c:url('/u')}</style>
      <meta http-equiv=Refresh content="0; URL=/next"><meta name=x content="/no"><svg><use xlink:href="/sym#a"/></svg>
    """
    found = [link.url for link in links_of_page(text.encode())]
    wanted = "/styles/site.css /s.js /i /a /b /c /l /f /g /bg /p /v /d /cb /m /st /c2 /im /u /next /sym#a"
    assert " ".join(found) == wanted


def test_text_that_only_looks_like_a_link_is_none() -> None:
    text = """<script>var a = '<a href="/x">'</script><textarea><a href="/x"></textarea><title><a href="/x"></title>
      <!-- <a href="/x"> --> <a title='<a href="/x">'>1 < 2 <3 <!doctype href="/x"></a href="/x"> <? href="/x" ?>"""
    assert links_of_page(text.encode()) == []


def test_what_stands_in_a_conditional_comment_is_a_page() -> None:
    text = '<!--[if IE]><link rel="stylesheet" href="/styles/site.css"><![endif]-->'
    assert page(text) == text.replace("/styles", "../common/styles")


@pytest.mark.parametrize(
    "text",
    [
        '<!--[if !IE]><!--><img src="/x"><!--<![endif]-->',
        '<!--> <img src="/x">',
        '<!---> <img src="/x">',
        '<!-- <img src="/no"> --!> <img src="/x"> -->',
        '<!--!> <img src="/no"> --><img src="/x">',
    ],
)
def test_a_comment_ends_where_it_does_for_browsers(text: str) -> None:
    assert [link.url for link in links_of_page(text.encode())] == ["/x"]


@pytest.mark.parametrize(
    ("text", "urls"),
    [("/a, /b 2x", ["/a", "/b"]), ("/a,/b 1x,/c 2x,", ["/a,/b", "/c"]), ("data:a,b 1x, /c", ["data:a,b", "/c"])],
)
def test_a_comma_behind_an_image_of_a_set_begins_the_next(text: str, urls: list[str]) -> None:
    assert [link.url for link in links_of_page(f'<img srcset="{text}">'.encode())] == urls


@pytest.mark.parametrize("text", ['<a href="/x', "<a href='/x>", "<a href=/x", "<!-- <a href='/x'>", "<a ", "<", '<a b="c'])
def test_a_tag_that_never_ends_is_no_tag(text: str) -> None:
    assert links_of_page(text.encode()) == []


def test_an_empty_script_of_xml_ends_at_once() -> None:
    text = b'<script src="/x"/><a href="/y">'
    assert [link.url for link in links_of_page(b'<?xml version="1.0"?>' + text)] == ["/x", "/y"]
    assert [link.url for link in links_of_page(text)] == ["/x"]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (f"{MODULE}/notes/", "notes/"),
        (f"{MODULE}/notes", "notes/"),
        ("notes/", "notes/"),
        ("../../styles/", "../common/styles/"),
        ("/java", "https://ocw.example.edu/java"),
    ],
)
def test_a_codebase_is_a_folder(was: str, becomes: str) -> None:
    assert (
        page(f'<applet code=C.class codebase="{was}" archive="a.jar">')
        == f'<applet code=C.class codebase="{becomes}" archive="a.jar">'
    )


def test_a_style_or_script_that_never_ends_goes_to_the_end() -> None:
    assert [link.url for link in links_of_page(b"<style>a{b:url(/x)} <a href=/y>")] == ["/x"]
    assert links_of_page(b"<script> <a href=/y>") == []


def test_the_first_of_two_equal_attributes_counts() -> None:
    assert [link.url for link in links_of_page(b'<a href="/x" HREF="/y">')] == ["/x"]


def changed(text: bytes, new: str) -> bytes:
    return change_page(text, lambda _: new)


def test_a_changed_value_is_written_as_its_place_needs_it() -> None:
    assert changed(b"<a href=/x title=y>", "a b") == b'<a href="a b" title=y>'
    assert changed(b"<a href=/x>", "z") == b"<a href=z>"
    assert changed(b"<a href='/x'>", 'it\'s & "more"') == b"<a href='it&#x27;s &amp; &quot;more&quot;'>"
    assert changed(b'<p style="a:url(/x)">', "y(1)'z") == b'<p style="a:url(y%281%29%27z)">'
    assert changed(b"<style>a{b:url(/x)}</style>", "y&z") == b"<style>a{b:url(y&z)}</style>"
    assert changed(b'<img srcset="/a 1x,/b 2x">', "q") == b'<img srcset="q 1x,q 2x">'
    assert changed(b'<meta http-equiv="refresh" content="5;url=/x">', "y") == b'<meta http-equiv="refresh" content="5;url=y">'
    assert changed("<a href='/ü'>ß</a>".encode(), "é") == "<a href='é'>ß</a>".encode()


def test_character_references_and_encodings_are_read_as_a_browser_does() -> None:
    assert [link.url for link in links_of_page(b'<a href="&#47;x&amp;y">')] == ["/x&y"]
    assert [link.url for link in links_of_page(b'<a href="/caf\xe9">')] == ["/caf\xe9"]
    assert links_of_page('<a href="/x">'.encode("utf-16")) == []


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('<a href="/ä">'.encode(), '<a href="https://ocw.example.edu/ä">'.encode()),
        (b'<a href="/\xe4">', b'<a href="https://ocw.example.edu/\xe4">'),
        (b'<a href="/&auml;">', b'<a href="https://ocw.example.edu/&#228;">'),
        (b'<p style="a:url(/\xe4)">\xe4', b'<p style="a:url(https://ocw.example.edu/\xe4)">\xe4'),
        (b"<style>a{b:url(/\xe4)}</style>", b"<style>a{b:url(https://ocw.example.edu/\xe4)}</style>"),
    ],
)
def test_a_changed_link_is_in_the_encoding_of_its_page(was: bytes, becomes: bytes) -> None:
    assert relink_page(was, f"{MODULE}/index.htm", "contents/index.htm", PLACES) == becomes


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_style_sheet_is_read_and_written_in_its_encoding(encoding: str) -> None:
    places = Places({"/images/ä.png": "common/images/ä.png"}, "https://ocw.example.edu")
    sheet = "a { b: url(/images/ä.png) } c { d: url(/ö.png) }".encode(encoding)
    written = relink_sheet(sheet, "/styles/x.css", "common/styles/x.css", places)
    assert written.decode(encoding) == "a { b: url(../images/%C3%A4.png) } c { d: url(https://ocw.example.edu/ö.png) }"


def test_a_link_of_a_style_sheet_with_escapes_stays() -> None:
    sheet = rb"""a { b: url(/images/a\ b.png) } c { d: url("/images/\(1\).png") }"""
    assert relink_sheet(sheet, "/styles/x.css", "common/styles/x.css", PLACES) is sheet


def test_what_a_link_shows_in_the_page_is_told_from_what_it_leads_to() -> None:
    embedded = {
        link.url: link.embeds
        for link in links_of_page(b"<a href=/1><img src=/2><link rel=stylesheet href=/3><link rel=next href=/4>")
    }
    assert embedded == {"/1": False, "/2": True, "/3": True, "/4": False}


def test_links_of_a_style_sheet() -> None:
    sheet = b"""@import url("/styles/site.css"); @import '/im.css';
      a { b: url( /images/logo.png ) } /* url(/no) */ c { d: url("data:x") ; e: url() ; f: URL('g"h') } /* open url(/no)"""
    assert [link.url for link in links_of_sheet(sheet)] == [
        "/styles/site.css",
        "/im.css",
        "/images/logo.png",
        "data:x",
        "",
        'g"h',
    ]
    assert [link.attribute for link in links_of_sheet(sheet)][:3] == ["url", "import", "url"]
    moved_sheet = relink_sheet(sheet, "/styles/x.css", "common/styles/x.css", PLACES)
    assert b'url("site.css")' in moved_sheet
    assert b"@import 'https://ocw.example.edu/im.css'" in moved_sheet
    assert b"url( ../images/logo.png )" in moved_sheet
    assert moved_sheet.endswith(sheet[sheet.index(b"/* open") :])
    plain = b"a { b: url(../images/logo.png) }"
    assert relink_sheet(plain, "/styles/x.css", "common/styles/x.css", PLACES) is plain
    assert change_sheet("a{b:url(/ü)}".encode(), lambda _: "é") == "a{b:url(é)}".encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_the_end_and_kept(text: bytes) -> None:
    assert change_page(text, lambda _: None) is text
    assert change_sheet(text, lambda _: None) is text


PIECES = [
    "<a ",
    "href=",
    '"',
    "'",
    "/x",
    ">",
    "<style>",
    "</style>",
    "<!--",
    "-->",
    "url(",
    ")",
    " ",
    "=",
    "<",
    "[if",
    "<script",
    "\\",
    "/*",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_a_page_that_is_changed_twice_is_the_one_that_is_changed_once(text: str) -> None:
    def change(link: Link) -> str | None:
        return "/y" if link.url == "/x" else None

    once = change_page(text.encode(), change)
    assert change_page(once, change) == once


@pytest.mark.parametrize("piece", ["<a ", "<a href='", "<", "<!--", "<style>", "<a x=", "url(", "<p style='url('", "<a b"])
def test_hostile_pages_cost_no_more_than_their_length(piece: str) -> None:
    assert isinstance(links_of_page((piece * 200_000).encode()), list)
    assert isinstance(links_of_sheet((piece * 200_000).encode()), list)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.lists(st.sampled_from("abc"), min_size=1, max_size=5))
def test_a_relative_link_leads_back_to_its_place(here: list[str], there: list[str]) -> None:
    page, target = "/".join([*here, "p.htm"]), "/".join([*there, "t.htm"])
    text = relink_page(b'<a href="/t">', "/p", page, Places({"/t": target}))
    assert resolve(page, text.decode().removeprefix('<a href="').removesuffix('">')) == target


def test_what_a_written_link_reaches() -> None:
    reached = PLACES.reached
    assert reached("contents/notes/index.htm", "../index.htm#x") == "contents/index.htm"
    for nothing in ("https://a.example/x", "/x", "#x", "", "nowhere", "http://[bad"):
        assert reached("contents/index.htm", nothing) is None
