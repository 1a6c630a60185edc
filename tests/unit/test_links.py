"""The links of a page, as whole addresses."""

from tasks.links import links_of

HERE = "https://ocw.example.edu/a/"


def test_links_of_every_kind_are_found() -> None:
    page = b"""<html><head><link rel="dns-prefetch" href="//cdn.example.com"><link rel="stylesheet" href="s.css"></head>
    <body background="b.gif"><a href="p.htm#x">p</a><a href="mailto:me@example.com">m</a><iframe src="//other.example.com/f"></iframe>
    <img src="i.png" srcset="i2.png 2x, /i3.png 3x, "><object data="o.swf" codebase="/applets/" classid="clsid:1"></object>
    <div style="background: url(u.png)"></div><form action="/search"></form></body></html>"""
    assert {there.removeprefix("https://ocw.example.edu") for _, there in links_of(page, HERE)} == {
        "/a/s.css",
        "/a/b.gif",
        "/a/p.htm",
        "https://other.example.com/f",
        "/a/i.png",
        "/a/i2.png",
        "/i3.png",
        "/applets/o.swf",
        "/a/u.png",
    }


def test_a_base_moves_relative_links_and_none_that_is_no_address() -> None:
    assert dict(links_of(b'<base href="/b/"><a href="x">', HERE)) == {"x": "https://ocw.example.edu/b/x"}
    assert dict(links_of(b'<base href="http://[::1"><a href="x">', HERE)) == {"x": f"{HERE}x"}
    assert dict(links_of(b'<a href="http://[::1">', HERE)) == {"http://[::1": ""}


def test_pages_in_old_encodings_and_without_content_are_read() -> None:
    latin = '<meta charset="iso-8859-1"><a href="\u00e9.htm">'.encode("latin-1")
    assert [link for link, _ in links_of(latin, HERE)] == ["\u00e9.htm"]
    assert [link for link, _ in links_of('<a href="\u00e9.htm">'.encode(), HERE)] == ["\u00e9.htm"]
    assert list(links_of(b"", HERE)) == list(links_of(b"<!-- -->", HERE)) == []
