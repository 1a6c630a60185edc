"""Hostile input of every class that Slipway parses: names N1 to N22, XML X1 to X10, catalogues, notes, rows, old configurations.

Each case is a document and what must become of it: refused, accepted (and then its paths are judged), or either.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

NS = 'xmlns="urn:slipway:packageslip:1"'
REFUSED, ACCEPTED, EITHER = "refused", "accepted", "either"


@dataclass(frozen=True, slots=True)
class Case:
    """`reader`: slip, catalogue, note, parameters, conf. `repeat`: (head, middle, times, tail) of a document too large to store."""

    name: str
    reader: str
    document: bytes
    must: str = REFUSED
    repeat: tuple[bytes, int, bytes] | None = None
    """After the document: this, so many times, then that."""

    def text(self) -> bytes:
        """The whole document."""
        if self.repeat is None:
            return self.document
        middle, times, tail = self.repeat
        return self.document + middle * times + tail


def slip(paths: list[str], *, count: int | None = None, attributes: str = "", url: str = "/m") -> bytes:
    """A slip of these paths, written without any care but for XML's own marks."""
    lines = "".join(f'<resource path="{escape(path)}"/>' for path in paths)
    number = len(paths) if count is None else count
    text = f'<packageslip {NS} url="{escape(url)}" {attributes}><resources count="{number}">{lines}</resources></packageslip>'
    return text.encode("utf-8", "surrogatepass")


LONG = "x" * 255

BAD_NAMES: dict[str, list[str]] = {
    "N1": [
        *("..", "../a", "a/..", "a/../b", "a/../../b", "./../a", "%2e%2e/a", "%2E%2E/a", "%2e./a", ".%2e/a", "a/%2e%2e/b"),
        *("%252e%252e/a", "%25252e%25252e/a", "a%2fb", "a%2Fb", "a%5cb", "..%2fa", "..%5ca", "%2e", "a/%2e/b", "a%00b"),
        *("%" + "25" * 60 + "41", "．．", "．．/a", "a/‥/b", "‥", "․․/a", "．", "a/․/b"),
    ],
    "N2": ["/etc/passwd", "//host/share", "///a", "/", "\\\\host\\share", "\\a", "/..", "/a/../b"],
    "N3": ["C:", "C:/a", "c:\\a", "a.txt:stream", "a:b/c", "::$DATA", "a.htm::$DATA", "file:///etc/passwd", "http://e.example/"],
    "N6": ["a\\b", "..\\a", "a\\..\\b", "\\", "a\\", "a/b\\c"],
    "N7": ["a/", "a//b", "", "a/./b", "./a", "a.", "a ", "a./b", "a /b", "a..", "a. .", "...", "a/...", "a/b.", " "],
    "N8": [
        *(
            "con",
            "CON",
            "prn",
            "aux",
            "nul",
            "NUL.txt",
            "con.htm",
            "aux.tar.gz",
            "com1",
            "COM9.txt",
            "lpt1",
            "LPT9",
            "com0",
            "lpt0",
        ),
        *("a/con", "con/a", "a/nul.x/b", "CONIN$", "conout$", "com¹", "lpt².txt", "com³", "con .txt", "aux  "),
    ],
    "N9": ["e\u0301.htm", "A\u030a.htm", "a/n\u0303/b", "\u1100\u1161.htm", "\u212b.htm", "o\u0302\u0323"],
    "N11": [LONG + "x", "a/" + LONG + "x", "é" * 128, "日" * 86, "😀" * 64],
    "N12": ["/".join([LONG] * 5), "/".join(["a"] * 600), "é/" * 400 + "a"],
    "N15": ["packageslip.xml", "PackageSlip.XML", ".slipway", ".slipway/x", ".SLIPWAY/a", ".Slipway/modules-1/new"],
    "N17": [f"a{chr(number)}b" for number in (0xAD, 0x61C, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x2028, 0x202F))]
    + [
        f"a{chr(number)}b"
        for number in (0x2060, 0x2061, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF, 0xFFF9, 0x110BD, 0xE0001, 0xE0041)
    ]
    + ["gpj.\u202eexe.htm"],
    "N18": [".", "./", "./."],
}
BAD_PAIRS: dict[str, list[list[str]]] = {
    "N10": [["a.htm", "A.htm"], ["É.htm", "é.htm"], ["ß", "ẞ"], ["a/b", "A/b"], ["ﬁ", "FI"], ["ſ.htm", "S.htm"]],
    "N13": [["a", "a/b"], ["a/b", "a"], ["a/b/c", "a/b"], ["A", "a/b"], ["a", "A/b/c"]],
    "N14": [["a", "a"], ["a/b", "c", "a/b"], ["x"] * 50],
    "N18": [[".", "a"], ["a", "."]],
}
GOOD_NAMES: dict[str, list[str]] = {
    "N21": [".htaccess", "run.php", "a.cgi", "x.exe", ".user.ini", "web.config", "a.sh"],
    "N22": [
        *(
            "-rf",
            "--help",
            "-",
            "$(reboot)",
            "`x`",
            "a;b",
            "a|b",
            "a&b",
            "a'b",
            "a b",
            "*",
            "?",
            "[a]",
            "{a,b}",
            "~",
            "~root",
            "!x",
        ),
        *(
            "a\u00a0b",
            "#x",
            "%",
            "100%",
            "%zz",
            "@x",
            "=cmd|x",
            "'; DROP TABLE publication_task_queue;--",
            "<script>",
            '"',
            "&amp;",
        ),
    ],
    "plain": ["日本語.html", "Übung/été.pdf", "😀.htm", LONG, "a/.slipway", "sub/packageslip.xml", "資料／1.pdf"],
}
RAW_CHARACTERS = [*range(0x20), 0x7F, *range(0x80, 0xA0)]


def names() -> Iterator[Case]:
    """Every class of name, in a slip and, where it makes sense, in a catalogue and in a note."""
    for rule, paths in BAD_NAMES.items():
        for number, path in enumerate(paths):
            must = ACCEPTED if path == "." else REFUSED
            yield Case(f"{rule}-{number}", "slip", slip([path]), must)
            if rule not in {"N18", "N15"}:
                yield Case(f"{rule}-{number}-note", "note", note(path=path))
            if rule in {"N1", "N3", "N6", "N8", "N9", "N17"}:
                yield Case(f"{rule}-{number}-module", "catalogue", catalogue(["/" + path]))
    for rule, several in BAD_PAIRS.items():
        for number, paths in enumerate(several):
            yield Case(f"{rule}-pair-{number}", "slip", slip(paths))
    for rule, paths in GOOD_NAMES.items():
        for number, path in enumerate(paths):
            yield Case(f"{rule}-{number}", "slip", slip([path]), ACCEPTED)


def characters() -> Iterator[Case]:
    """N4, N5, N16: as raw bytes and as references."""
    for number in RAW_CHARACTERS:
        blank = chr(number) in "\t\n\r"
        # A raw blank in an attribute becomes a space, by the rules of XML.
        raw = slip(["aXb"]).replace(b"X", chr(number).encode())
        yield Case(f"N5-raw-{number:02x}", "slip", raw, EITHER if blank else REFUSED)
        yield Case(f"N5-ref-{number:02x}", "slip", slip(["aXb"]).replace(b"X", b"&#%d;" % number))
    for number in (0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFFFE, 0xFFFF):
        yield Case(f"N16-raw-{number:x}", "slip", slip([f"a{chr(number)}b"]))
        yield Case(f"N16-ref-{number:x}", "slip", slip(["aXb"]).replace(b"X", b"&#x%x;" % number))
    for number, raw in enumerate(
        (b"\xff", b"\xc0\xae", b"\xc0\xaf", b"\xe2\x28\xa1", b"\xf0\x82\x82\xac", b"\x80", b"\xed\xa0\x80\xed\xb0\x80")
    ):
        yield Case(f"N16-utf8-{number}", "slip", slip(["aXb"]).replace(b"X", raw))


GOOD = slip(["index.htm", "a/b.pdf"], attributes='title="x"')
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "laughs": f'<!DOCTYPE p [<!ENTITY l0 "ha">{LAUGHS}]>',
    "quadratic": f'<!DOCTYPE p [<!ENTITY a "{"x" * 100_000}">]>',
    "external": '<!DOCTYPE p SYSTEM "file:///etc/passwd">',
    "http": '<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd">',
    "entity": '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "parameter": '<!DOCTYPE p [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>',
    "empty": "<!DOCTYPE packageslip>",
    "default": '<!DOCTYPE packageslip [<!ATTLIST packageslip url CDATA "/evil">]>',
    "recursive": '<!DOCTYPE p [<!ENTITY a "&b;"><!ENTITY b "&a;">]>',
    "public": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1.dtd">',
}


def xml() -> Iterator[Case]:
    """X1 to X10 for slips."""
    for number in range(0, len(GOOD), max(1, len(GOOD) // 45)):
        yield Case(f"X1-cut-{number}", "slip", GOOD[:number])
    for name, document in _malformed().items():
        # UTF-7 is an encoding like any other to the library; what comes out is judged like the rest.
        yield Case(f"X1-{name}", "slip", document, EITHER if name == "declares-utf7" else REFUSED)
    for name, doctype in DOCTYPES.items():
        use = {"laughs": "&l9;", "quadratic": "&a;" * 1000, "entity": "&x;", "recursive": "&a;"}.get(name, "")
        yield Case(f"X2-{name}", "slip", doctype.encode() + GOOD)
        yield Case(f"X2-{name}-used", "slip", doctype.encode() + GOOD.replace(b'title="x"', f'title="{use}"'.encode()))
        yield Case(f"X2-{name}-note", "note", doctype.encode() + note(extra=f'x="{use}"'))
        yield Case(f"X2-{name}-catalogue", "catalogue", doctype.encode() + catalogue(["/a"]))
    yield from _large()
    for name, old, new in _WRONG:
        yield Case(name, "slip", GOOD.replace(old, new, 1), ACCEPTED if name.startswith("X9") else REFUSED)


_WRONG = (
    ("X5-namespace", b"packageslip:1", b"packageslip:2"),
    ("X5-no-namespace", NS.encode(), b""),
    ("X5-element", b"<resources", b"<surprise/><resources"),
    ("X5-attribute", b'title="x"', b'onload="x"'),
    ("X5-foreign-attribute", b'title="x"', b'xmlns:x="urn:x" x:title="x"'),
    ("X5-inside", b'<resource path="a/b.pdf"/>', b'<resource path="a/b.pdf"><resource path="c"/></resource>'),
    ("X5-text", b"</resources>", b"text</resources>"),
    ("X5-cdata", b"</resources>", b"<![CDATA[<resource path='x'/>]]></resources>"),
    ("X5-root", b"packageslip xmlns", b"html xmlns"),
    ("X7-sections", b"</packageslip>", b'<resources count="0"/></packageslip>'),
    (
        "X7-dependents",
        b"</packageslip>",
        b'<dependent-modules><module url="/a"/><module url="/a"/></dependent-modules></packageslip>',
    ),
    ("X8-count", b'count="2"', b'count="99999999999999999999999999"'),
    ("X8-negative", b'count="2"', b'count="-2"'),
    ("X8-digits", b'count="2"', "count='\u0662'".encode()),
    ("X8-float", b'count="2"', b'count="2.0"'),
    ("X8-size", b'path="a/b.pdf"', b'path="a/b.pdf" size="1e9"'),
    ("X8-digest", b'path="a/b.pdf"', b'path="a/b.pdf" digest="sha256:00"'),
    ("X8-digest-kind", b'path="a/b.pdf"', b'path="a/b.pdf" digest="md5:d41d8cd98f00b204e9800998ecf8427e"'),
    ("X8-time", b'title="x"', b'modified="9999-99-99T99:99:99Z"'),
    ("X8-time-far", b'title="x"', b'modified="999999-01-01T00:00:00Z"'),
    ("X8-kind", b'path="a/b.pdf"', b'path="a/b.pdf" kind="program"'),
    ("X8-type", b'path="a/b.pdf"', b'path="a/b.pdf" type="text/html&#10;X-Evil: 1"'),
    ("X8-flag", b'title="x"', b'zip-required="yes"'),
    ("X8-href", b'path="a/b.pdf"', b'path="a/b.pdf" href="http://169.254.169.254/latest"'),
    ("X8-href-up", b'path="a/b.pdf"', b'path="a/b.pdf" href="../../secret"'),
    ("X8-href-coded", b'path="a/b.pdf"', b'path="a/b.pdf" href="%2e%2e/secret"'),
    ("X8-href-host", b'path="a/b.pdf"', b'path="a/b.pdf" href="//evil.example/x"'),
    ("X8-href-file", b'path="a/b.pdf"', b'path="a/b.pdf" href="file:///etc/passwd"'),
    ("X8-state", b'title="x"', b'state="a&#10;b"'),
    ("X9-instruction", b"<resources", b"<?php system('x') ?><resources"),
    ("X9-stylesheet", b"<packageslip", b'<?xml-stylesheet href="file:///etc/passwd"?><packageslip'),
    ("X9-comment", b"<resources", b"<!-- ]]> &amp; <evil> --><resources"),
    ("X10-few", b'count="2"', b'count="3"'),
    ("X10-many", b'count="2"', b'count="1"'),
    ("X10-none", b' count="2"', b""),
    ("X10-size", b'count="2"><resource path="index.htm"/><resource', b'count="1" size="7"><resource size="8"'),
    ("X5-xinclude", b"</resources>", b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></resources>'),
    ("X10-serial-alone", b'title="x"', b'serial="5"'),
)


def _malformed() -> dict[str, bytes]:
    inside = GOOD.replace(b"<resources", b"%b<resources")
    bad = (
        b"<",
        b"&",
        b"&nothing;",
        b"]]>",
        b"<a b=c/>",
        b"<a b/>",
        b"<a a='' a=''/>",
        b"<1/>",
        b"</x>",
        b"<a:b/>",
        b"<!x>",
        b"<!--",
        b"<![CDATA[",
    )
    found = {f"inside-{number}": inside % each for number, each in enumerate(bad)}
    encodings = {name: ("﻿" + GOOD.decode()).encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le")}
    return {
        **found,
        **{f"encoding-{name}-cut": document[:-7] for name, document in encodings.items()},
        "empty": b"",
        "blank": b" \n\t",
        "zeros": bytes(4096),
        "noise": bytes((n * 167 + 13) % 256 for n in range(4096)),
        "twice": GOOD + GOOD,
        "after": GOOD + b"<more/>",
        "html": b"<!doctype html><html><body>Please log in</body></html>",
        "json": b'{"url": "/m"}',
        "gzip": b"\x1f\x8b\x08\x00" + bytes(64),
        "declares-ucs4": b'<?xml version="1.0" encoding="ucs-4"?>' + GOOD,
        "declares-nothing": b'<?xml version="1.0" encoding="no-such"?>' + GOOD,
        "declares-utf7": b'<?xml version="1.0" encoding="utf-7"?>' + GOOD,
        "version-9": b'<?xml version="9.9"?>' + GOOD.replace(b"</packageslip>", b""),
        "late-declaration": b" <?xml version='1.0'?>" + GOOD,
        "bom-mismatch": b"\xfe\xff" + GOOD,
    }


def _large() -> Iterator[Case]:
    """X4: what is too long, too deep or too many, and what only looks so."""
    head, tail = GOOD.split(b"<resources")[0], b"</packageslip>"
    many = head + b'<resources count="%d">'
    for depth in (33, 300, 30_000):
        yield Case(f"X4-depth-{depth}", "slip", head, repeat=(b"<x>", depth, b"</x>" * depth + tail))
    for length in (8193, 1_000_000, 12_000_000):
        yield Case(f"X4-attribute-{length}", "slip", head.replace(b'title="x"', b'title="'), repeat=(b"x", length, b'"/>'))
    yield Case("X4-attributes", "slip", b"<packageslip ", repeat=(b'a%d="" ', 20_000, b"/>"))
    yield Case("X4-text", "slip", head, repeat=(b"x", 12_000_000, tail))
    yield Case("X4-blanks", "slip", head, repeat=(b" \n", 5_000_000, tail))
    yield Case("X4-comments", "slip", head, repeat=(b"<!--" + b"x" * 60 + b"-->", 200_000, tail))
    yield Case("X4-instructions", "slip", head, repeat=(b"<?x y?>", 500_000, tail))
    yield Case("X4-unknown", "slip", head, repeat=(b"<x/>", 1_000_000, tail))
    yield Case("X4-name", "slip", head + b"<", repeat=(b"x", 5_000_000, b"/>" + tail))
    yield Case("X4-same-entry", "slip", many % 1_000_000, repeat=(b'<resource path="a"/>', 1_000_000, b"</resources>" + tail))
    yield Case("X4-undeclared", "slip", many % 1, repeat=(b'<resource path="\xff"/>', 300_000, b"</resources>" + tail))
    numbered = b"".join(b'<resource path="%d"/>' % number for number in range(400_000))
    yield Case("X4-more-than-declared", "slip", many % 5 + numbered + b"</resources>" + tail)
    yield Case("X4-million-declared", "slip", many % 1_000_001 + numbered)
    yield Case(
        "X4-hundred-thousand",
        "slip",
        many % 50_000 + numbered[: numbered.index(b'"50000"') - 15] + b"</resources>" + tail,
        ACCEPTED,
    )
    yield Case("X4-deep-paths", "slip", slip([f"{n}/" + "a/" * 500 + "x" for n in range(2000)]))
    yield Case("X4-deepest", "slip", slip([f"{n}/" + "abcdefgh/" * 62 + "x" for n in range(2000)]), ACCEPTED)
    yield Case(
        "X4-twins", "slip", many % 200_000, repeat=(b'<resource path="A"/><resource path="a"/>', 100_000, b"</resources>" + tail)
    )


def catalogue(urls: list[str], count: int | None = None) -> bytes:
    """A catalogue of these modules."""
    lines = "".join(f'<module url="{escape(url)}"/>' for url in urls)
    text = f'<packageslips {NS} count="{len(urls) if count is None else count}">{lines}</packageslips>'
    return text.encode("utf-8", "surrogatepass")


def catalogues() -> Iterator[Case]:
    """Catalogue documents of a CMS."""
    good = catalogue(["/a", "/b"])
    for number in range(0, len(good), len(good) // 12):
        yield Case(f"catalogue-cut-{number}", "catalogue", good[:number])
    bad = (
        [""],
        ["a"],
        ["/a", "/a"],
        ["//a"],
        ["/a?x"],
        ["/a#b"],
        ["/.slipway"],
        ["/a/packageslip.xml"],
        ["/" + "x" * 600],
        ["http://e/"],
    )
    for number, urls in enumerate(bad):
        yield Case(f"catalogue-bad-{number}", "catalogue", catalogue(urls))
    yield Case("catalogue-count", "catalogue", catalogue(["/a"], count=2))
    yield Case("catalogue-slip", "catalogue", GOOD)
    yield Case(
        "catalogue-many", "catalogue", f'<packageslips {NS} count="1">'.encode(), repeat=(b"<x/>", 500_000, b"</packageslips>")
    )


def note(
    path: str = "a.htm", name: str = "1", extra: str = "", tag: str = "0000000000000000001.00000000", url: str = "/m"
) -> bytes:
    """A note as it lies on a target, with something wrong."""
    head = f'url="{escape(url)}" tag="{escape(tag)}" serial="1" previous="" wanted="publish" fold="false" count="1" {extra}'
    put = f'<put name="{escape(name)}" path="{escape(path)}" part="asset"/>'
    return f'<release xmlns="urn:slipway:release:1" {head}>{put}</release>'.encode("utf-8", "surrogatepass")


def notes() -> Iterator[Case]:
    """Notes of releases, as an account that is not ours could leave them."""
    good = note()
    yield Case("note-good", "note", good, ACCEPTED)
    for number in range(0, len(good), len(good) // 15):
        yield Case(f"note-cut-{number}", "note", good[:number])
    for number, name in enumerate(("../x", "1/../../x", "", "/etc/x", "a", "-1", "1" * 400, "slip/../x", "..", "1\n2")):
        yield Case(f"note-name-{number}", "note", note(name=name))
    for number, tag in enumerate(("", "../x", "1.2", "x/y", "0" * 500, "/")):
        yield Case(f"note-tag-{number}", "note", note(tag=tag))
    for number, url in enumerate(("", "m", "/../x", "//x", "/a/%2e%2e/b")):
        yield Case(f"note-url-{number}", "note", note(url=url))
    for number, (old, new) in enumerate(
        (
            (b'count="1"', b'count="2"'),
            (b'count="1"', b'count="x"'),
            (b'serial="1"', b'serial="%b"' % (b"9" * 5000)),
            (b'serial="1"', b'serial="-1"'),
            (b'part="asset"', b'part="program"'),
            (b'wanted="publish"', b'wanted="perish"'),
            (b"<put", b"<push"),
            (b"release:1", b"release:2"),
        )
    ):
        yield Case(f"note-wrong-{number}", "note", good.replace(old, new, 1))
    yield Case("note-depth", "note", good[: good.index(b"<put")], repeat=(b"<x>", 200_000, b""))
    yield Case("note-long", "note", note(path="x").replace(b'"x"', b'"'), repeat=(b"x", 20_000_000, b""))


def rows() -> Iterator[Case]:
    """The column `parameters`, as anybody with an account may fill it."""
    texts = [
        *(
            "[",
            "{",
            "[" * 100_000,
            '{"a":' * 50_000,
            "1" * 10_000,
            '{"mode": ' + "1" * 5000 + "}",
            "NaN",
            "Infinity",
            '"\\ud800"',
        ),
        *("null", "true", "[]", '"x"', "0", '{"mode": "\\ud800"}', '{"\\u0000": 1}', '{"types": [["x"]]}', '{"mode": {"a": []}}'),
        *(
            '{"rerun_of": 1e400}',
            '{"rerun_of": -1}',
            '{"rerun_of": 99999999999999999999}',
            '{"rerun_of": true}',
            "{'mode': 1}",
            "\x00",
        ),
        *(
            '{"mode": "full", "mode": "x"}',
            json.dumps({"x" * 100_000: 1}),
            json.dumps({"to": 1, "version": "ab"}),
            "\ufeff{}",
            "{}{}",
        ),
        *(
            '{"prefix": "/../../etc"}',
            '{"from": "file:///etc/passwd"}',
            '{"task": 1, "plan": "zz"}',
            json.dumps({"states": ["x"] * 100_000}),
        ),
    ]
    for number, text in enumerate(texts):
        yield Case(f"row-{number}", "parameters", text.encode("utf-8", "surrogatepass"), EITHER)


def configurations() -> Iterator[Case]:
    """Old engines.conf files."""
    head = "[CMS]\n"
    bomb = "".join(f"k{n}: {f'%(k{n - 1})s' * 10}\n" for n in range(1, 12))
    texts = {
        "bomb": f"{head}k0: ha\n{bomb}",
        "itself": f"{head}a: %(a)s%(a)s\n",
        "circle": f"{head}a: %(b)s%(b)s\nb: %(a)s%(a)s\n",
        "keys": head + "".join(f"key{n}: x\n" for n in range(8_000)),
        "same-key": head + "key: x\n" * 15_000,
        "sections": "".join(f"[s{n}]\nkey: x\n" for n in range(5_000)) + head,
        "goes-on": f"{head}key: x\n" + " more\n" * 20_000,
        "long": f"{head}key: " + "x" * 2_000_000,
        "blanks": f"{head}key" + " " * 100_000 + "x\n",
        "comments": f"{head}key: x" + " ;" * 50_000,
        "brackets": head + "[" * 100_000,
        "references": f"{head}key: " + "%(" * 50_000,
        "noise": "".join(chr((n * 167 + 13) % 256) for n in range(50_000)),
        "empty": "",
        "zeros": "\0" * 10_000,
        "rem": "rem\n" * 10_000 + "r\n" + head,
    }
    for name, text in texts.items():
        yield Case(f"conf-{name}", "conf", text.encode("latin-1", "replace"), EITHER)


def corpus() -> Iterator[Case]:
    """All of it."""
    for part in (names, characters, xml, catalogues, notes, rows, configurations):
        yield from part()
