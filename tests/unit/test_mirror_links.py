"""Where links of mirrored pages lead, and how they are written."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from archives import Fate, Linker, addresses, decide, rewrite_page, scan_page

SITE = ("http://ocw.example.edu", "https://www.example.edu/ocw")
FILES = frozenset(
    {
        "index.htm",
        "a/index.html",
        "a/page.htm",
        "a/b c(1).png",
        "a/applets/edu/Ball.class",
        "a/applets/x.jar",
        "other/x.jar",
        "out/film.mp4",
        "a/100%.txt",
    }
)
OUTSIDE = {"http://else.org/film": "out/film.mp4", "http://ocw.example.edu/large/film": "out/film.mp4"}


@dataclass(frozen=True)
class Rule:
    match: str
    replace: str
    on: str = "any"


def linker(*rules: Rule, site: tuple[str, ...] = SITE, outside: Mapping[str, str] = OUTSIDE) -> Linker:
    return Linker(rules, site, FILES.__contains__, outside, ("index.htm", "index.html"))


def linked(
    value: str, *rules: Rule, embed: bool = False, page: str = "a/page.htm", base: str | None = None
) -> tuple[str, str | None]:
    one = linker(*rules)
    link = one.link(one.standing(page, base), value, embed=embed)
    return str(link.fate), link.written


@pytest.mark.parametrize(
    ("value", "fate", "written"),
    [
        ("page.htm", "inside", None),
        ("./page.htm?x#y", "inside", None),
        ("PAGE.htm", "absent", "http://ocw.example.edu/a/PAGE.htm"),
        ("../a/page.htm", "inside", None),
        ("/a/page.htm", "inside", "page.htm"),
        ("/a//page.htm", "inside", "page.htm"),
        ("//ocw.example.edu/a/page.htm", "inside", "page.htm"),
        ("https://WWW.example.edu:443/ocw/a/page.htm", "inside", "page.htm"),
        ("https://www.example.edu/ocw?x", "inside", "../index.htm?x"),
        ("https://www.example.edu/elsewhere", "outside", None),
        ("..", "inside", "../index.htm"),
        ("../../../", "inside", "../index.htm"),
        (".", "inside", "index.html"),
        ("b c(1).png", "inside", None),
        ("/a/b%20c%281%29.png#x y", "inside", "b%20c%281%29.png#x%20y"),
        ("100%25.txt", "inside", None),
        ("/a/100%.txt", "inside", "100%25.txt"),
        ("#x", "none", None),
        (" ", "none", None),
        ("?q", "inside", None),
        ("a\\b", "absent", "http://ocw.example.edu/a/a/b"),
        ("mailto:x\\y@z", "none", None),
        ("javascript:void(0)", "none", None),
        ("http://else.org/film#t=3", "inside", "../out/film.mp4#t=3"),
        ("http://else.org/other", "outside", None),
        ("//else.org/other", "outside", "http://else.org/other"),
        ("/large/film", "inside", "../out/film.mp4"),
        ("http://[::1", "outside", None),
        ("http://ocw.example.edu/none", "absent", None),
        ("none?a b", "absent", "http://ocw.example.edu/a/none?a%20b"),
    ],
)
def test_links_without_rules(value: str, fate: str, written: str | None) -> None:
    assert linked(value) == (fate, written)


def test_without_the_sites_url_what_is_absent_is_broken() -> None:
    one = linker(site=())
    page = one.standing("a/page.htm", None)
    assert one.link(page, "none", embed=False).fate is Fate.BROKEN
    assert one.link(page, "/a/page.htm", embed=False).written == "page.htm"
    assert one.link(page, "http://ocw.example.edu/none", embed=False).fate is Fate.OUTSIDE


def test_the_first_rule_that_fits_counts() -> None:
    rules = (Rule("/give", "http://give.example.org"), Rule("/g", "http://wrong.example.org"))
    assert linked("../give/now?x", *rules) == ("outside", "http://give.example.org/now?x")
    assert linked("../general", *rules) == ("outside", "http://wrong.example.orgeneral")


def test_rules_are_for_links_or_for_what_is_embedded() -> None:
    rules = (Rule("http://else.org/.*", "/a/page.htm", "embed"), Rule("http://else.org/", "#", "link"))
    assert linked("http://else.org/other", *rules, embed=True) == ("inside", "page.htm")
    assert linked("http://else.org/other", *rules) == ("none", "#other")


def test_a_rule_whose_file_the_mirror_lacks_is_not_used() -> None:
    rule = Rule("http://else.org/", "/nothing/")
    assert linked("http://else.org/other", rule) == ("outside", None)
    assert linked("http://else.org/film", rule) == ("inside", "../out/film.mp4")
    assert linked("/give", Rule("/give", "/nothing")) == ("absent", "http://ocw.example.edu/give")


def test_a_rule_may_name_the_sites_own_url_and_groups() -> None:
    assert linked("http://else.org/a/page", Rule(r"http://else.org/(\w)/(\w+)", r"http://ocw.example.edu/\1/\2.htm")) == (
        "inside",
        "page.htm",
    )
    assert linked("http://else.org/x", Rule("http://else.org/", "http://else.org/")) == ("outside", None)
    assert linked("rtsp://else.org/x", Rule("rtsp:", "http:")) == ("outside", "http://else.org/x")


def test_a_base_counts_for_every_link() -> None:
    base = "http://ocw.example.edu/a/applets/"
    assert linked("x.jar", base=base) == ("inside", "applets/x.jar")
    assert linked("#x", base=base) == ("absent", "http://ocw.example.edu/a/applets/#x")
    assert linked("../page.htm#x", base=base) == ("inside", "page.htm#x")
    assert linked("other", base="http://else.org/") == ("outside", "http://else.org/other")
    assert linked("x", base="http://[::1") == ("absent", "http://ocw.example.edu/a/x")


def test_a_page_from_elsewhere_has_links_of_its_own() -> None:
    one = linker(outside={"http://else.org/x/film": "out/film.mp4"})
    page = one.standing("out/page.htm", None, "http://else.org/x/page")
    assert one.link(page, "film", embed=False).written == "film.mp4"
    assert one.link(page, "other", embed=False).written == "http://else.org/x/other"
    assert one.link(page, "http://ocw.example.edu/", embed=False).written == "../index.htm"


@pytest.mark.parametrize("url", ["http://else.org", "http://else.org?x", "http://else.org/"])
def test_a_page_at_the_top_of_another_site(url: str) -> None:
    one = linker()
    page = one.standing("out/index.htm", None, url)
    assert one.link(page, "other", embed=False).written == "http://else.org/other"
    assert one.link(page, "/film#t", embed=False).written == "film.mp4#t"
    assert one.link(page, "?y", embed=False).written == "http://else.org/?y"


def written(page: str, *, base: str = "") -> str:
    one, content = linker(), f"{base}{page}".encode()
    scan = scan_page(content, sheet=False)
    standing = one.standing("a/page.htm", scan.base)
    verdicts = {mark: decide(one, standing, mark).value for mark in scan.marks}
    made = rewrite_page(content, {mark: value for mark, value in verdicts.items() if value is not None})
    return made.decode().removeprefix(base)


@pytest.mark.parametrize(
    ("page", "made"),
    [
        (
            "<img srcset='/a/b%20c(1).png, /none 2x,,/index.htm 3x'>",
            "<img srcset='b%20c%281%29.png, http://ocw.example.edu/none 2x,,../index.htm 3x'>",
        ),
        ("<img srcset='/index.htm,'>", "<img srcset='../index.htm,'>"),
        ("<p style='a:url(\"/a/b c(1).png\")'>", "<p style='a:url(\"b%20c%281%29.png\")'>"),
        ("<style>a{b:url('/no(ne')}</style>", "<style>a{b:url('http://ocw.example.edu/no%28ne')}</style>"),
        ("<meta http-equiv=refresh content='5'>", "<meta http-equiv=refresh content='5'>"),
        ("<meta http-equiv=refresh content='5, /'>", "<meta http-equiv=refresh content='5, ../index.htm'>"),
        ("<meta http-equiv=refresh content='0;URL=\"/\"'>", "<meta http-equiv=refresh content='0;URL=\"../index.htm\"'>"),
        ("<base href=''><a href='/'>", "<base href=''><a href='../index.htm'>"),
        ("<applet code=edu/Ball codebase=./applets/>", "<applet code=edu/Ball codebase=./applets/>"),
        ("<applet code=edu/Ball codebase=/a/applets>", "<applet code=edu/Ball codebase=applets/>"),
        ("<applet code=edu/Ball codebase='http://else.org/'>", "<applet code=edu/Ball codebase='http://else.org/'>"),
        ("<applet code=None codebase=/none/>", "<applet code=None codebase=http://ocw.example.edu/none/>"),
        (
            "<applet archive='x.jar,/other/x.jar' codebase=/a/applets>",
            "<applet archive='x.jar,../../other/x.jar' codebase=applets/>",
        ),
        ("<applet archive='none.jar' codebase='http://else.org/'>", "<applet archive='none.jar' codebase='http://else.org/'>"),
        ("<applet archive='/a/applets/x.jar'>", "<applet archive='applets/x.jar'>"),
        ("<applet archive='/none.jar'>", "<applet archive='http://ocw.example.edu/none.jar'>"),
    ],
)
def test_values_that_hold_links(page: str, made: str) -> None:
    assert written(page) == made


def test_links_in_style_sheets_are_written_in_ascii() -> None:
    sheet = "a{b:url(../\\65e5.png)} c{d:url(é.png)}".encode()
    one, scan = linker(), scan_page(sheet, sheet=True)
    standing = one.standing("else/main.css", None, "http://else.org/css/main.css")
    verdicts = {mark: decide(one, standing, mark).value for mark in scan.marks}
    made = rewrite_page(sheet, {mark: value for mark, value in verdicts.items() if value is not None})
    assert made == b"a{b:url(http://else.org/%E6%97%A5.png)} c{d:url(http://else.org/css/%C3%A9.png)}"


def test_an_applet_of_a_page_with_a_base() -> None:
    base = "<base href=''>"
    page = "<applet code=edu/Ball codebase=applets>"
    assert (
        written(page, base="<base href='http://ocw.example.edu/a/'>").removeprefix(base)
        == "<applet code=edu/Ball codebase=applets/>"
    )


def test_everything_that_a_page_points_to_is_known() -> None:
    one = linker()
    content = (
        b"<base href=x/><a href=y#z><a href=mailto:a><img srcset='s 1x'><p style='a:url(c)'><meta http-equiv=refresh content='0;r'>"
        b"<applet codebase=//else.org/a archive='1.jar, 2.jar'></applet><applet code=B codebase=q></applet><a href='http://[x'>"
    )
    scan = scan_page(content, sheet=False)
    found = list(addresses(one, one.standing("a/page.htm", scan.base), scan))
    assert found == [
        "http://ocw.example.edu/a/x/y",
        "http://ocw.example.edu/a/x/s",
        "http://ocw.example.edu/a/x/c",
        "http://ocw.example.edu/a/x/r",
        "http://else.org/a/1.jar",
        "http://else.org/a/2.jar",
        "http://ocw.example.edu/a/x/q/B.class",
    ]


def test_what_the_mirror_has_of_the_site() -> None:
    one = linker()
    assert [one.has(url) for url in ("https://www.example.edu/ocw/", "http://ocw.example.edu/none", "http://else.org/a/")] == [
        True,
        False,
        False,
    ]


def test_the_path_on_the_site_that_a_link_means() -> None:
    one = linker()
    page = one.standing("a/page.htm", None)
    assert one.site_path(page, "b?c") == "/a/b"
    assert one.site_path(page, "http://else.org/") is None
    assert one.site_path(page, "mailto:x") is None
