"""Which names may reach a target."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packageslip import ITSELF, UnsafePath, check_href, check_module_url, check_path, collisions
from packageslip.names import _PLAIN_HREF, _href_faults

SAFE_PATHS = [
    "index.htm",
    "lecture-notes/l1.pdf",
    "a/b/c/d/e/f.txt",
    "Übung/été.pdf",
    "日本語.html",
    "資料／1…2．pdf",
    ".well-known/security.txt",
    ".htaccess",
    "a b/c (1).pdf",
    "-rf",
    "100%.txt",
    "a%20b.txt",
    "$(reboot);`x`.txt",
    "console.log",
    "nulls/communication1.txt",
    "sub/packageslip.xml",
    "a/.slipway",
    "a..b/c...d",
    "x" * 255,
    "/".join(["x" * 200] * 5),
    "a/" * 64 + "a",
    "é/" * 64 + "a",
    "what?.html",
]
UNSAFE_PATHS = [
    ("N1", ".."),
    ("N1", "../a"),
    ("N1", "a/../b"),
    ("N1", "%2e%2e/a"),
    ("N1", "a/%2E./b"),
    ("N1", "a%2fb"),
    ("N1", "a%5cb"),
    ("N1", "a%00b"),
    ("N1", "%252e%252e/a"),
    ("N1", "%25252525%32e./a"),
    ("N1", "%2e"),
    ("N12", "a/" * 65 + "a"),
    ("N12", "é/" * 65 + "a"),
    ("N1", "．．/a"),
    ("N1", "a/‥"),
    ("N1", "a/․/b"),
    ("N1", "%" + "25" * 40 + "41"),
    ("N2", "/etc/passwd"),
    ("N2", "//host/share"),
    ("N2", "\\\\host\\share"),
    ("N3", "C:"),
    ("N3", "C:/windows"),
    ("N3", "a.txt:stream"),
    ("N4", "a\0b"),
    ("N5", "a\nb"),
    ("N5", "a\tb"),
    ("N5", "a\x7fb"),
    ("N5", "a\x85b"),
    ("N6", "a\\b"),
    ("N7", ""),
    ("N7", "a//b"),
    ("N7", "./a"),
    ("N7", "a/"),
    ("N7", "a./b"),
    ("N7", "a /b"),
    ("N7", "a."),
    ("N7", "a/..."),
    ("N8", "con"),
    ("N8", "NUL.txt"),
    ("N8", "a/Com1.tar.gz"),
    ("N8", "lpt9/a"),
    ("N8", "COM².txt"),
    ("N8", "aux .txt"),
    ("N9", unicodedata.normalize("NFD", "é.pdf")),
    ("N11", "x" * 256),
    ("N11", "é" * 128),
    ("N11", "a/" + "x" * 256 + "/b"),
    ("N12", "/".join(["x" * 204] * 5) + "y"),
    ("N15", "packageslip.xml"),
    ("N15", "PackageSlip.XML"),
    ("N15", ".slipway"),
    ("N15", ".Slipway/x"),
    ("N16", "a\ud800b"),
    ("N17", "a\u202eb"),
    ("N17", "a\u200bb"),
    ("N17", "a\ufeffb"),
    ("N17", "a\u2028b"),
]


@pytest.mark.parametrize("path", SAFE_PATHS)
def test_a_safe_path_passes(path: str) -> None:
    check_path(path)


def test_a_modules_only_file_can_be_the_module_itself() -> None:
    check_path(ITSELF)


@pytest.mark.parametrize(("rule", "path"), UNSAFE_PATHS)
def test_an_unsafe_path_is_refused_by_its_rule(rule: str, path: str) -> None:
    with pytest.raises(UnsafePath) as refused:
        check_path(path)
    assert refused.value.rule == rule
    assert repr(path) in str(refused.value)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("aA1./\\%2e:~ \0é\u0301-cCoOnN"), max_size=12))
def test_a_path_that_passes_stays_in_its_folder_on_every_system(path: str) -> None:
    try:
        check_path(path)
    except UnsafePath:
        return
    if path == ITSELF:
        return
    segments = path.split("/")
    assert all(segments)
    assert not {".", ".."} & set(segments)
    assert not set("\0\\:") & set(path)
    assert not any(segment[-1] in ". " or segment.partition(".")[0].lower() == "con" for segment in segments)


@pytest.mark.parametrize("url", ["/", "/courses/physics/8-01", "/a", "/über/uns", "/" + "a/" * 249 + "a"])
def test_a_module_url_passes(url: str) -> None:
    check_module_url(url)


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("N2", ""),
        ("N2", "courses"),
        ("N2", "https://host/a"),
        ("N7", "//"),
        ("N7", "//host/a"),
        ("N7", "/a/"),
        ("N7", "/a?b"),
        ("N7", "/a#b"),
        ("N7", "/a//b"),
        ("N1", "/a/../b"),
        ("N1", "/%2e%2e"),
        ("N5", "/a\nb"),
        ("N12", "/" + "a/" * 250 + "a"),
        ("N15", "/.slipway/modules"),
        ("N15", "/a/packageslip.xml"),
    ],
)
def test_a_url_that_is_no_folder_of_a_site_is_refused(rule: str, url: str) -> None:
    with pytest.raises(UnsafePath) as refused:
        check_module_url(url)
    assert refused.value.rule == rule


@pytest.mark.parametrize("href", ["a.pdf", "a/b?x=1:2&y=../z", "/files/1", "/", "?id=5", "é.pdf", "a%20b"])
def test_a_place_on_the_same_origin_passes(href: str) -> None:
    check_href(href)


@pytest.mark.parametrize(
    "href",
    [
        "",
        "http://host/a",
        "//host/a",
        "javascript:x",
        "C:/a",
        "a\\b",
        "\\\\host",
        "../a",
        "/a/../b",
        "/%2e%2e/a",
        "/%2fhost/a",
        "a b",
        "a\nb",
        "a#b",
        "mailto:me@host",
        "/./a",
        "\u200ba",
        "/a\u00a0b",
    ],
)
def test_a_place_elsewhere_is_refused(href: str) -> None:
    with pytest.raises(UnsafePath) as refused:
        check_href(href)
    assert refused.value.rule == "H1"


@given(st.text("./?aB9%:\\#& @~\nü", max_size=12))
@settings(max_examples=500, deadline=None)
def test_a_place_that_passes_at_a_glance_would_pass_a_closer_look(href: str) -> None:
    if _PLAIN_HREF.fullmatch(href):
        assert list(_href_faults(href)) == []


@pytest.mark.parametrize(
    ("paths", "clashes"),
    [
        (["a", "b", "c/d", "c/e", "C/f"], []),
        (["a", "a"], [("a", "a")]),
        (["a", "A"], [("a", "A")]),
        (["Straße", "STRASSE"], [("Straße", "STRASSE")]),
        (["é", "E\u0301"], [("é", "E\u0301")]),
        (["a", "a/b"], [("a", "a/b")]),
        (["a/b", "A"], [("a/b", "A")]),
        (["a/b/c/d", "a/b"], [("a/b/c/d", "a/b")]),
        (["x/y", "x/y/z/w"], [("x/y", "x/y/z/w")]),
    ],
)
def test_paths_that_cannot_be_files_side_by_side_collide(paths: list[str], clashes: list[tuple[str, str]]) -> None:
    assert collisions(paths) == clashes
