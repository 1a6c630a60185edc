"""Addresses: names are quoted, hrefs are URLs, and nothing leads away from the origin."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packageslip import ITSELF, Resource
from sources import AccessRefused, PermanentSourceError
from sources.addresses import Addresses, addresses, origin_of

CMS = addresses("cms", "https://cms.example.edu/plone/")
MODULE = "/courses/8-01"


def file(path: str, href: str | None = None, of: Addresses = CMS) -> str:
    return of.file(MODULE, Resource(path, href=href))


def test_slips_and_the_catalogue_lie_below_the_configured_url() -> None:
    assert CMS.slip(MODULE) == "/plone/courses/8-01/packageslip.xml"
    assert CMS.slip("/") == "/plone/packageslip.xml"
    assert CMS.below("/packageslips.xml") == "/plone/packageslips.xml"
    assert CMS.below("@@modules?all=1") == "/plone/@@modules?all=1"


def test_the_page_of_a_module_is_at_its_url() -> None:
    assert CMS.file(MODULE, Resource(ITSELF)) == "/plone/courses/8-01"
    assert CMS.file("/", Resource(ITSELF)) == "/plone"
    assert addresses("cms", "https://cms.example.edu").file("/", Resource(ITSELF)) == "/"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        ("index.htm", "index.htm"),
        ("lecture notes/l1.pdf", "lecture%20notes/l1.pdf"),
        ("ü.htm", "%C3%BC.htm"),
        ("what?.htm", "what%3F.htm"),
        ("a#b", "a%23b"),
        ("50%25", "50%2525"),
        ("a;b,c=d&e+f@g~h(i)!'*$", "a;b,c=d&e+f@g~h(i)!'*$"),
        ("[x]", "%5Bx%5D"),
    ],
)
def test_every_character_of_a_path_that_means_something_is_quoted(path: str, quoted: str) -> None:
    assert file(path) == f"/plone/courses/8-01/{quoted}"


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("view.json", "/plone/courses/8-01/view.json"),
        ("view.json?x=1&y=a b", "/plone/courses/8-01/view.json?x=1&y=a%20b"),
        ("?view=json", "/plone/courses/8-01/?view=json"),
        ("/assets/a%20b.css", "/assets/a%20b.css"),
        ("https://cms.example.edu/x", "/x"),
        ("HTTPS://CMS.example.edu:443/x", "/x"),
        ("//cms.example.edu", "/"),
        ("ü", "/plone/courses/8-01/%C3%BC"),
        ("100%.pdf?of=50%&to=a%20b", "/plone/courses/8-01/100%25.pdf?of=50%25&to=a%20b"),
    ],
)
def test_an_href_is_a_url_that_keeps_its_query_and_its_escapes(href: str, address: str) -> None:
    assert file("x", href) == address


@pytest.mark.parametrize(
    "href",
    [
        "http://cms.example.edu/x",
        "https://cms.example.edu:8443/x",
        "https://cms.example.edu.evil/x",
        "https://cms.example.edu@evil/x",
        "https://me@cms.example.edu/x",
        "//evil/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1",
        "https://cms.example.edu:99999/",
    ],
)
def test_another_origin_is_refused(href: str) -> None:
    with pytest.raises(AccessRefused, match=r"which is not on https://cms\.example\.edu; only that origin is ever asked"):
        file("x", href)


@pytest.mark.parametrize("href", ["a\nb", "a\tb", "\x00", "a\\b", "\x7f"])
def test_a_control_character_or_a_backslash_is_refused(href: str) -> None:
    with pytest.raises(AccessRefused, match="control character"):
        file("x", href)


def test_a_redirect_is_resolved_against_where_it_came_from() -> None:
    assert CMS.redirect("/plone/a/b?x=1", "c") == "/plone/a/c"
    assert CMS.redirect("/plone/a/b", "/login?from=%2Fplone") == "/login?from=%2Fplone"
    with pytest.raises(AccessRefused, match=r"a redirect of https://cms\.example\.edu/plone/a leads to"):
        CMS.redirect("/plone/a", "https://sso.example.edu/")


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "cms.example.edu", "https://", "https://me:pw@cms", "http://cms/?a", "http://cms/#a", "http://[", "http://cms:x"],
)
def test_a_source_needs_a_plain_http_url(url: str) -> None:
    with pytest.raises(PermanentSourceError, match="the url must be http:// or https://") as caught:
        addresses("cms", url)
    assert "pw" not in str(caught.value)


def test_an_origin_is_written_as_people_write_it() -> None:
    assert [str(origin_of(url)) for url in ("http://A:80/x", "http://a:8080", "https://[::1]:443", "https://[::1]:8443/")] == [
        "http://a",
        "http://a:8080",
        "https://[::1]",
        "https://[::1]:8443",
    ]


@given(st.text(min_size=1, max_size=40).filter(lambda text: not {"", ".", ".."} & {*text.split("/")}))
def test_whatever_a_path_holds_the_server_reads_the_same_path(path: str) -> None:
    """Of paths that a slip may list: no part is empty or leads elsewhere."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return
    parts = urlsplit(f"{CMS.origin}{file(path)}")
    assert unquote(parts.path) == f"/plone/courses/8-01/{path}"
    assert not parts.query
    assert not parts.fragment


PIECES = [*"/\\.:@?#%[]acxü01 \n\t", "//", "https://", "http:", "cms.example.edu", "..", "%2f", "%0a"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_whatever_an_href_holds_only_the_origin_is_asked(href: str) -> None:
    try:
        address = file("x", href)
    except AccessRefused:
        return
    assert address.startswith("/")
    assert address.isascii()
    assert not set(address) & set(' \n\r\t\\"')
    assert origin_of(f"{CMS.origin}{address}") == CMS.origin
