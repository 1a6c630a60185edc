"""A small, nasty site and the mirror that must come of it, both written by hand. Imports nothing of Slipway.

Every page is a list of pairs: what stands in the published page, and what must stand in the mirror. A single text stands for
itself. @OUT@ is the URL of a server elsewhere. Run as a program, it writes the expected tree: `expected_mirror.py FOLDER OUT-URL`.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TIME = 1_400_000_000
"""Every published file's time, plus a second for each letter of its path, so that no two that matter are the same by accident."""
OUTSIDE_TIME = 1_300_000_000

Line = str | tuple[str, str]

INDEX: Sequence[Line] = [
    "<!DOCTYPE html>\n<html><head><title>8.01 <a href='/images/logo.png'></title>\n",
    ('<link rel="stylesheet" href="/styles/main.css">\n', '<link rel="stylesheet" href="../../../styles/main.css">\n'),
    '<link rel="canonical" href="http://ocw.example.edu/courses/physics/8-01/">\n',
    (
        "<SCRIPT SRC='/scripts/main.js?v=3&amp;w=1'></SCRIPT>\n",
        "<SCRIPT SRC='../../../scripts/main.js?v=3&amp;w=1'></SCRIPT>\n",
    ),
    (
        '<style>body { background: url("/images/logo.png") } /* url(/images/logo.png) */</style>\n',
        '<style>body { background: url("../../../images/logo.png") } /* url(/images/logo.png) */</style>\n',
    ),
    (
        '<!--[if IE]><link rel=stylesheet href="/styles/main.css"><![endif]-->\n',
        '<!--[if IE]><link rel=stylesheet href="../../../styles/main.css"><![endif]-->\n',
    ),
    "</head><body>\n<!-- <a href='/images/logo.png'> -->\n",
    ('<a href="lecture-notes/">notes</a>\n', '<a href="lecture-notes/index.htm">notes</a>\n'),
    ('<a href="lecture-notes">notes</a>\n', '<a href="lecture-notes/index.htm">notes</a>\n'),
    '<a href="lecture-notes/l1.pdf#page=2">one</a> <a href="./lecture-notes/../captions.vtt">two</a> <a href="?print=1">print</a>\n',
    ("<a href=/courses/physics/8-02>8.02</a>\n", "<a href=../8-02/index.htm>8.02</a>\n"),
    (
        '<A HREF="HTTP://OCW.example.EDU:80/courses/physics/8-02/index.htm?x=1&y=2#top">8.02</A>\n',
        '<A HREF="../8-02/index.htm?x=1&amp;y=2#top">8.02</A>\n',
    ),
    ('<a href="https://ocw.example.edu/">home</a>\n', '<a href="../../../index.htm">home</a>\n'),
    ('<a href="https://ocw.example.edu">home</a>\n', '<a href="../../../index.htm">home</a>\n'),
    ('<a href="//ocw.example.edu/robots.txt">robots</a>\n', '<a href="../../../robots.txt">robots</a>\n'),
    '<a href="https://ocw.example.education/courses/">another site</a>\n',
    '<a href="lecture-notes/a%20b.pdf">same</a> <a href="lecture-notes/a b.pdf">same</a>\n',
    (
        '<a href="/courses/physics/8-01/lecture-notes/a b.pdf">blank</a>\n',
        '<a href="lecture-notes/a%20b.pdf">blank</a>\n',
    ),
    (
        '<a href="/courses/physics/8-01/lecture-notes/%C3%A9t%C3%A9.pdf">summer</a>\n',
        '<a href="lecture-notes/%C3%A9t%C3%A9.pdf">summer</a>\n',
    ),
    (
        '<a href="/courses/physics/8-01/lecture-notes/&eacute;t&#233;.pdf">summer</a>\n',
        '<a href="lecture-notes/%C3%A9t%C3%A9.pdf">summer</a>\n',
    ),
    (
        '<img src="/images/logo.png" srcset="/images/logo.png 1x, /images/logo@2x.png 2x" alt="a > b">\n',
        '<img src="../../../images/logo.png" srcset="../../../images/logo.png 1x, ../../../images/logo@2x.png 2x" alt="a > b">\n',
    ),
    ("<img src='images\\a.jpg'>\n", "<img src='images/a.jpg'>\n"),
    (
        '<table><tr><td background="/images/logo.png" style="background: url(&quot;/images/logo.png&quot;); color: red">x</table>\n',
        '<table><tr><td background="../../../images/logo.png" style="background: url(&quot;../../../images/logo.png&quot;); color: red">x</table>\n',
    ),
    ('<a href="big.zip">too big</a>\n', '<a href="http://ocw.example.edu/courses/physics/8-01/big.zip">too big</a>\n'),
    ('<a href="/private/">private</a>\n', '<a href="http://ocw.example.edu/private/">private</a>\n'),
    '<a href="http://ocw.example.edu/never/was/">gone</a>\n',
    (
        '<a href="@OUT@/download/8.01/lec%201.mp4">video</a>\n',
        '<a href="../../../OcwExport/InternetArchive/8.01/lec%201.mp4">video</a>\n',
    ),
    '<a href="@OUT@/download/8.01/gone.mp4">missing</a>\n',
    ('<a href="/donate/">give</a>\n', '<a href="http://giving.example.edu/mirror/">give</a>\n'),
    (
        '<iframe src="https://www.youtube.com/embed/abc_123?rel=0"></iframe>\n',
        '<iframe src="../../../OcwExport/YouTube/abc_123.mp4"></iframe>\n',
    ),
    '<iframe src="https://www.youtube.com/embed/unknown"></iframe> <a href="https://www.youtube.com/embed/abc_123">there</a>\n',
    (
        '<applet code="Ball.class" codebase="/courses/physics/8-01/applets" width=3></applet>\n',
        '<applet code="Ball.class" codebase="applets/" width=3></applet>\n',
    ),
    '<applet CODE=Ball CODEBASE=applets archive="physics.jar"></applet>\n',
    (
        '<applet code="edu.Wave" codebase="@OUT@/applets/"></applet>\n',
        '<applet code="edu.Wave" codebase="../../../OcwExport/applets/"></applet>\n',
    ),
    (
        '<applet archive="@OUT@/applets/w.jar, /courses/physics/8-01/applets/physics.jar" code=X></applet>\n',
        '<applet archive="../../../OcwExport/applets/w.jar, applets/physics.jar" code=X></applet>\n',
    ),
    (
        '<object type="application/x-java-applet"><param name="codebase" value="/courses/physics/8-01/applets/">\n',
        '<object type="application/x-java-applet"><param name="codebase" value="applets/">\n',
    ),
    '<param name="archive" value="physics.jar"><param name="code" value="Ball"></object>\n',
    (
        '<object data="/courses/physics/8-01/lecture-notes/l1.pdf"><param NAME=movie VALUE="/images/logo.png"><embed src=/images/logo.png></object>\n',
        '<object data="lecture-notes/l1.pdf"><param NAME=movie VALUE="../../../images/logo.png"><embed src=../../../images/logo.png></object>\n',
    ),
    "<script>var s = '<a href=\"/images/logo.png\">'</script> <textarea><a href='/images/logo.png'></textarea>\n",
    "<a href=\"javascript:go('/images/logo.png')\">go</a> <a href=mailto:a@example.edu>mail</a> <a href=#top>top</a> <a href>no</a>\n",
    '<a href="">here</a> <a href="data:text/plain,/images/logo.png">data</a> <a href="http://[half">bad</a>\n',
    ('<a href="  /images/logo.png\n">blanks</a>\n', '<a href="../../../images/logo.png">blanks</a>\n'),
    (
        '<a href="@OUT@/cultures/index.html#tea">cultures</a>\n',
        '<a href="../../../OcwExport/cultures/index.html#tea">cultures</a>\n',
    ),
    (
        '<video src="video/lec1.mp4" poster="/images/logo.png"><source src=/courses/physics/8-01/video/lec1.mp4><track src="captions.vtt"></video>\n',
        '<video src="video/lec1.mp4" poster="../../../images/logo.png"><source src=video/lec1.mp4><track src="captions.vtt"></video>\n',
    ),
    ('<a href="/images/logo.png" href="/other">twice</a>\n', '<a href="../../../images/logo.png" href="/other">twice</a>\n'),
    (
        "<a title=\"href='/x'\" href = '/images/logo.png'>odd</a>\n",
        "<a title=\"href='/x'\" href = '../../../images/logo.png'>odd</a>\n",
    ),
    (
        '<script src="//cdn.example.org/x.js"></script><noscript><img src=/images/logo.png></noscript>\n',
        '<script src="http://cdn.example.org/x.js"></script><noscript><img src=../../../images/logo.png></noscript>\n',
    ),
    (
        '<a href="/ans15436/ZipForEndUsers/courses/physics/8-01/8-01.zip">zip</a>\n',
        '<a href="../../../zips/courses/physics/8-01/8-01.zip">zip</a>\n',
    ),
    ('<a href="/tools/readme.htm">tools</a>\n', '<a href="../../../OcwExport/tools/readme.htm">tools</a>\n'),
    "</body></html>\n",
]
NOTES: Sequence[Line] = [
    ('<p><a href="../">up</a>\n', '<p><a href="../index.htm">up</a>\n'),
    '<a href="l1.pdf">one</a> <a href="../index.htm">up too</a>\n',
    ('<img src="/images/logo.png"/>\n', '<img src="../../../../images/logo.png"/>\n'),
]
BASED: Sequence[Line] = [
    (
        '<head><base href="http://ocw.example.edu/courses/physics/8-01/lecture-notes/"></head>\n',
        '<head><base href=""></head>\n',
    ),
    ('<a href="l1.pdf">one</a>\n', '<a href="lecture-notes/l1.pdf">one</a>\n'),
    ('<a href="#x">place</a>\n', '<a href="lecture-notes/index.htm#x">place</a>\n'),
    (
        '<a href="nothing.pdf">gone</a>\n',
        '<a href="http://ocw.example.edu/courses/physics/8-01/lecture-notes/nothing.pdf">gone</a>\n',
    ),
]
REFRESH: Sequence[Line] = [
    (
        "<meta http-equiv=Refresh content=\"0; URL='/courses/physics/8-02/'\">\n",
        "<meta http-equiv=Refresh content=\"0; URL='../8-02/index.htm'\">\n",
    ),
]
FRAMES: Sequence[Line] = [
    (
        "<frameset cols=50%,50%><frame src=\"/courses/physics/8-02/\"><frame src='lecture-notes/index.htm'>\n",
        "<frameset cols=50%,50%><frame src=\"../8-02/index.htm\"><frame src='lecture-notes/index.htm'>\n",
    ),
    (
        "<noframes><a href=/images/logo.png>logo</a></noframes></frameset>\n",
        "<noframes><a href=../../../images/logo.png>logo</a></noframes></frameset>\n",
    ),
]
LATIN: Sequence[Line] = [
    "<meta http-equiv='Content-Type' content='text/html; charset=ISO-8859-1'><p>caf\xe9 \xa0\n",
    (
        '<a href="/courses/physics/8-01/lecture-notes/\xe9t\xe9.pdf">\xe9</a>\n',
        '<a href="lecture-notes/%C3%A9t%C3%A9.pdf">\xe9</a>\n',
    ),
    (
        '<a href="/courses/physics/8-01/lecture-notes/%E9t%E9.pdf">\xe9</a>\n',
        '<a href="lecture-notes/%C3%A9t%C3%A9.pdf">\xe9</a>\n',
    ),
]
WIDE: Sequence[Line] = [
    ("<p>\u4e2d<a href='/images/logo.png'>\u6587</a>\n", "<p>\u4e2d<a href='../../../images/logo.png'>\u6587</a>\n")
]
BROKEN: Sequence[Line] = [
    "<p><b>never closed <i></b> < 5 <> </> </ x> <!bogus> <?php echo 1 ?> <a\n",
    ("href=/images/logo.png<p>\n", "href=http://ocw.example.edu/images/logo.png%3Cp>\n"),
    ("<a/href=/images/logo.png/class=x>slashes</a>\n", "<a/href=http://ocw.example.edu/images/logo.png/class=x>slashes</a>\n"),
    ('<a href="/images/logo.png"id=x>no blank</a>\n', '<a href="../../../images/logo.png"id=x>no blank</a>\n'),
    (
        "</a href='/images/logo.png'> <IMG\nSRC\n=\n/images/logo.png\n>\n",
        "</a href='/images/logo.png'> <IMG\nSRC\n=\n../../../images/logo.png\n>\n",
    ),
    '<!--> <a href="captions.vtt">a comment that ends at once</a>\n',
    '<a href="/images/logo.png',
]
XHTML: Sequence[Line] = [
    '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title/>\n',
    ('<script src="/scripts/main.js"/></head>\n', '<script src="../../../scripts/main.js"/></head>\n'),
    ('<body><img src="/images/logo.png"/></body></html>\n', '<body><img src="../../../images/logo.png"/></body></html>\n'),
]
SECOND: Sequence[Line] = [
    ('<a href="/courses/physics/8-01/">8.01</a>\n', '<a href="../8-01/index.htm">8.01</a>\n'),
    ('<a href="../8-01/lecture-notes/">notes</a>\n', '<a href="../8-01/lecture-notes/index.htm">notes</a>\n'),
    ('<img src="@OUT@/download/8.01/lec%201.mp4">\n', '<img src="../../../OcwExport/InternetArchive/8.01/lec%201.mp4">\n'),
]
HOME: Sequence[Line] = [
    ('<a href="/courses/physics/8-01">8.01</a>\n', '<a href="courses/physics/8-01/index.htm">8.01</a>\n'),
    ('<a href="/">home</a> <img src="/images/logo.png">\n', '<a href="index.htm">home</a> <img src="images/logo.png">\n'),
]
SHEET: Sequence[Line] = [
    '@charset "utf-8"; @import "print.css"; .e { content: "url(print.css)" }\n',
    ("@import url(/styles/print.css);\n", "@import url(print.css);\n"),
    (".a { background: URL( '/images/logo.png' ) }\n", ".a { background: URL( '../images/logo.png' ) }\n"),
    ".b { background: url(../images/logo@2x.png) } .d { background: url(data:image/png;base64,AAAA) }\n",
    (".c { background: url(/images/none.png) }\n", ".c { background: url(http://ocw.example.edu/images/none.png) }\n"),
    "/* url(/images/logo.png)",
]
CULTURES: Sequence[Line] = [
    ('<a href="essay/">essay</a>\n', '<a href="essay/index.htm">essay</a>\n'),
    ('<img src="/cultures/tea.gif">\n', '<img src="tea.gif">\n'),
    ('<a href="../elsewhere.html">out</a>\n', '<a href="@OUT@/elsewhere.html">out</a>\n'),
    ('<a href="page?id=7">seven</a>\n', '<a href="page-f422c82d.htm">seven</a>\n'),
    '<a href="http://ocw.example.edu/never/was/">gone</a>\n',
    (
        '<a href="http://ocw.example.edu/courses/physics/8-02/">8.02</a>\n',
        '<a href="../../courses/physics/8-02/index.htm">8.02</a>\n',
    ),
]
ESSAY: Sequence[Line] = ['<a href="../index.html">back</a>\n', ('<a href="..">top</a>\n', '<a href="@OUT@/cultures/">top</a>\n')]
SEVEN: Sequence[Line] = ["<p>seven\n"]
README: Sequence[Line] = [
    ('<a href="/courses/physics/8-01/">8.01</a>\n', '<a href="../../courses/physics/8-01/index.htm">8.01</a>\n')
]
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""One pixel."""

PAGES: Mapping[str, tuple[Sequence[Line], str]] = {
    "courses/physics/8-01/index.htm": (INDEX, "utf-8"),
    "courses/physics/8-01/lecture-notes/index.htm": (NOTES, "utf-8"),
    "courses/physics/8-01/based.htm": (BASED, "utf-8"),
    "courses/physics/8-01/refresh.html": (REFRESH, "utf-8"),
    "courses/physics/8-01/frames.htm": (FRAMES, "utf-8"),
    "courses/physics/8-01/latin.htm": (LATIN, "latin-1"),
    "courses/physics/8-01/wide.htm": (WIDE, "utf-16"),
    "courses/physics/8-01/broken.htm": (BROKEN, "utf-8"),
    "courses/physics/8-01/page.xhtml": (XHTML, "utf-8"),
    "courses/physics/8-02/index.htm": (SECOND, "utf-8"),
    "index.htm": (HOME, "utf-8"),
    "styles/main.css": (SHEET, "utf-8"),
}
"""Pages of the site, by their path on it and in the mirror."""
PLAIN: Mapping[str, bytes] = {
    "courses/physics/8-01/lecture-notes/l1.pdf": b"%PDF one",
    "courses/physics/8-01/lecture-notes/a b.pdf": b"%PDF blank",
    "courses/physics/8-01/lecture-notes/\u00e9t\u00e9.pdf": b"%PDF summer",
    "courses/physics/8-01/captions.vtt": b"WEBVTT",
    "courses/physics/8-01/images/a.jpg": PNG,
    "courses/physics/8-01/video/lec1.mp4": b"mp4",
    "courses/physics/8-01/applets/Ball.class": b"\xca\xfe\xba\xbe",
    "courses/physics/8-01/applets/physics.jar": b"PK jar",
    "courses/physics/8-01/untouched.htm": b"<p>No link \xff at all, and not even UTF-8.\r\n",
    "images/logo.png": PNG,
    "images/logo@2x.png": PNG,
    "scripts/main.js": b"var a = '/images/logo.png';\n",
    "styles/print.css": b"p { color: black }\n",
    "robots.txt": b"User-agent: *\n",
}
"""Files that are in the mirror as they are."""
VIEWS: Mapping[str, bytes] = {"courses/physics/8-01/index.json": b'{"a": "/images/logo.png"}'}
"""Views, which have the time of their module."""
LEFT_OUT: Mapping[str, bytes] = {
    "courses/physics/8-01/big.zip": b"PK big",
    "courses/physics/8-01/video/unused.mp4": b"mp4 of nobody",
    "private/index.htm": b"<p>private",
}
"""Published, and not in the mirror."""
MODULES = ("/", "/courses/physics/8-01", "/courses/physics/8-02", "/images", "/private", "/scripts", "/styles")

OUTSIDE: Mapping[str, tuple[str, Sequence[Line] | bytes, str]] = {
    "/download/8.01/lec%201.mp4": ("video/mp4", b"archived mp4", "OcwExport/InternetArchive/8.01/lec 1.mp4"),
    "/applets/edu/Wave.class": ("application/java-vm", b"\xca\xfe\xba\xbe wave", "OcwExport/applets/edu/Wave.class"),
    "/applets/w.jar": ("application/java-archive", b"PK w", "OcwExport/applets/w.jar"),
    "/yt/abc_123.mp4": ("video/mp4", b"youtube mp4", "OcwExport/YouTube/abc_123.mp4"),
    "/cultures/index.html": ("text/html; charset=utf-8", CULTURES, "OcwExport/cultures/index.html"),
    "/cultures/essay/": ("text/html", ESSAY, "OcwExport/cultures/essay/index.htm"),
    "/cultures/tea.gif": ("image/gif", PNG, "OcwExport/cultures/tea.gif"),
    "/cultures/page?id=7": ("text/html", SEVEN, "OcwExport/cultures/page-f422c82d.htm"),
}
"""What the server elsewhere has: by its path the type, the bytes, and where it lies in the mirror."""
LIST = "@OUT@/yt/abc_123.mp4\tabc_123.mp4\n\nno URL at all\n@OUT@/yt/gone.mp4\tgone.mp4\n"
"""The CMS's tab-separated list."""
FOLDER: Mapping[str, tuple[Sequence[Line] | bytes, str]] = {
    "readme.htm": (README, "OcwExport/tools/readme.htm"),
    "key": (b"key", "OcwExport/tools/key"),
}
"""A local folder, and where its files lie in the mirror."""
ZIPS: Mapping[str, bytes] = {"courses/physics/8-01/8-01.zip": b"PK course"}
"""Course zips, by their path on their target."""


def source(lines: Sequence[Line] | bytes, out: str, encoding: str = "utf-8") -> bytes:
    """A page as it is published."""
    return lines if isinstance(lines, bytes) else _page(lines, 0, out, encoding)


def wanted(lines: Sequence[Line] | bytes, out: str, encoding: str = "utf-8") -> bytes:
    """The same page as it must be in the mirror."""
    return lines if isinstance(lines, bytes) else _page(lines, 1, out, encoding)


def _page(lines: Sequence[Line], side: int, out: str, encoding: str) -> bytes:
    return "".join(line if isinstance(line, str) else line[side] for line in lines).replace("@OUT@", out).encode(encoding)


def time_of(path: str) -> int:
    """The time of a published file, as its slip says."""
    return TIME + len(path)


def expected(out: str) -> dict[str, tuple[bytes, int]]:
    """The whole mirror: path to bytes and time."""
    tree = {path: (wanted(lines, out, encoding), time_of(path)) for path, (lines, encoding) in PAGES.items()}
    tree |= {path: (content, time_of(path)) for path, content in PLAIN.items()}
    tree |= {path: (content, TIME) for path, content in VIEWS.items()}
    tree |= {place: (wanted(content, out), OUTSIDE_TIME) for _, content, place in OUTSIDE.values()}
    tree |= {place: (wanted(content, out), time_of(name)) for name, (content, place) in FOLDER.items()}
    return tree | {f"zips/{path}": (content, time_of(path)) for path, content in ZIPS.items()}


def write_tree(folder: Path, tree: Mapping[str, tuple[bytes, int]]) -> None:
    """Write files with their times, and with the modes that a target gives."""
    for path, (content, modified) in tree.items():
        place = folder / path
        for parent in reversed([parent for parent in place.parents if parent.is_relative_to(folder)]):
            parent.mkdir(exist_ok=True)
            parent.chmod(0o755)
        place.write_bytes(content)
        place.chmod(0o644)
        os.utime(place, (modified, modified))


if __name__ == "__main__":
    write_tree(Path(sys.argv[1]), expected(sys.argv[2]))
