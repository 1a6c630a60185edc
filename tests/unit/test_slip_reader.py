"""Every rule of the reader refuses what it is for, names the line, and agrees with the checker and the XSD."""

import gc
import weakref
from hashlib import sha256
from io import BytesIO
from os import fdopen, pipe
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import packageslip
from packageslip import (
    BadSlip,
    Fault,
    Kind,
    Limits,
    Packageslip,
    Resource,
    View,
    ViewKind,
    check_slip,
    on_target,
    read_slip,
    write_slip,
)
from packageslip.document import CHUNK

SCHEMA = etree.XMLSchema(file=str(Path(packageslip.__file__).with_name("packageslip.xsd")))
DEFAULTS = Limits()
NS = 'xmlns="urn:slipway:packageslip:1"'
DIGEST = "sha256:" + "0" * 64
OTHER = "sha256:" + "1" * 64
EMPTY = "sha256:" + sha256(b"").hexdigest()


def slip(inside: str = "", *, root: str = 'url="/a"', resources: str | None = None, count: int = 0, before: str = "") -> str:
    listed = f'<resources count="{count}">' if resources is None else f"<resources {resources}>"
    return f"{before}<packageslip {NS} {root}>\n{listed}\n{inside}\n</resources></packageslip>"


def of(*resources: str) -> str:
    """A slip of these resources, one a line from line 3 on."""
    return slip("\n".join(f"<resource {resource}/>" for resource in resources), count=len(resources))


def beside(sections: str) -> str:
    return f'<packageslip {NS} url="/a"><resources count="0"/>\n{sections}</packageslip>'


# rule, line (0: of the whole document), whether the XSD can say it too, document
CORPUS: list[tuple[str, int, bool, str]] = [
    ("X1", 0, True, ""),
    ("X1", 1, True, "no markup"),
    ("X1", 1, True, f'<packageslip {NS} url="/a">'),
    ("X1", 4, True, slip().replace("</packageslip>", "")),
    ("X1", 5, True, slip() + "\nmore"),
    ("X1", 4, True, slip('<resource path="a">', count=1)),
    ("X1", 1, True, slip(root='url="/a" url="/b"')),
    ("X1", 0, True, slip(root='url="&unknown;"')),
    ("X2", 1, False, slip(before="<!DOCTYPE packageslip>")),
    ("X2", 2, False, slip(before='<!DOCTYPE packageslip [<!ENTITY a "/a">]>\n', root='url="&a;"')),
    ("X2", 1, False, slip(before='<!DOCTYPE packageslip SYSTEM "http://localhost/x.dtd">')),
    ("X4", 1, False, slip(root=f'url="/a" title="{"t" * 9000}"')),
    ("N18", 3, False, of('path="."', 'path="a"')),
    ("N18", 3, False, slip('<resource path="."/>', root='url="/"', count=1)),
    ("N18", 2, False, beside('<views><json path="."/></views>')),
    ("X5", 1, True, "<packageslip/>"),
    ("X5", 1, True, slip().replace(":1", ":2")),
    ("X5", 1, True, slip(root="")),
    ("X5", 1, True, slip(root='url="/a" publisher="me"')),
    ("X5", 1, True, slip(root='url="/a" xml:lang="en"')),
    ("X5", 2, True, slip(resources="")),
    ("X5", 3, True, of('kind="page"')),
    ("X5", 3, True, of('path="a" pth="b"')),
    ("X5", 3, True, slip('<file path="a"/>')),
    ("X5", 3, True, slip('<resource xmlns="" path="a"/>')),
    ("X5", 3, True, slip('<resource path="a"><resource path="b"/></resource>', count=1)),
    ("X5", 3, True, slip('<resource path="a">text</resource>', count=1)),
    ("X5", 3, True, slip('<resource path="a"/>text', count=1)),
    ("X5", 3, True, slip('<resource path="a"/>text<resource path="b"/>', count=2)),
    ("X5", 2, True, slip("text")),
    ("X5", 2, True, beside("<stylesheets><sheet/></stylesheets>")),
    ("X5", 2, True, beside('<views><xml path="a"/></views>')),
    ("X5", 2, True, beside("<dependent-modules><module/></dependent-modules>")),
    ("X6", 1, True, slip(root='url="/a" title="\x01"')),
    ("X6", 1, True, slip(before='<?xml version="1.0" encoding="klingon"?>')),
    ("X7", 2, True, beside('<resources count="0"/>')),
    ("X7", 2, True, beside("<views/><views/>")),
    ("X7", 2, True, beside('<dependent-modules><module url="/b"/><module url="/b"/></dependent-modules>')),
    ("X7", 2, True, beside('<linked-departments><department id="6"/><department id="6"/></linked-departments>')),
    ("X8", 3, True, of('path="a" size="-1"')),
    ("X8", 3, True, of('path="a" size="1e3"')),
    ("X8", 3, True, of('path="a" size="٣"')),
    ("X8", 3, True, of('path="a" order="9999999999999999999"')),
    ("X8", 3, True, of('path="a" digest="md5:00"')),
    ("X8", 3, True, of(f'path="a" digest="{DIGEST[:-1]}"')),
    ("X8", 3, True, of(f'path="a" digest="{DIGEST[:-2]} 0"')),
    ("X8", 3, True, of(f'path="a" digest="{DIGEST[:-1]}A"')),
    ("X8", 3, True, of(f'path="a" digest="{DIGEST[7:]}"')),
    ("X8", 3, True, of(f'path="a" digest="{DIGEST[:-1]}g"')),
    ("X8", 3, True, of('path="a" modified="yesterday"')),
    ("X8", 3, True, of('path="a" modified="2019-09-25T17:47:34"')),
    ("X8", 3, True, of('path="a" modified="1901-01-01T00:00:00Z"')),
    ("X8", 3, True, of('path="a" kind="movie"')),
    ("X8", 3, True, of('path="a" type="html"')),
    ("X8", 3, True, of('path="a" download="yes"')),
    ("X8", 3, False, of('path="a" etag="a&#10;b"')),
    ("X8", 1, False, slip(root='url="/a" state="a&#x85;b"')),
    ("X8", 2, True, slip(resources='count="many"')),
    ("X8", 1, True, slip(root='url="/a" version="1"')),
    ("X10", 2, False, slip('<resource path="a"/>', count=2)),
    ("X10", 2, False, slip('<resource path="a"/>', count=0)),
    ("X10", 2, False, slip('<resource path="a" size="2"/>', resources='count="1" size="3"')),
    ("X10", 2, False, slip(resources='count="0" size="3"')),
    ("X10", 1, True, f'<packageslip {NS} url="/a"/>'),
    ("N1", 3, False, of('path="../a"')),
    ("N1", 2, False, beside('<views><json path="a/../b"/></views>')),
    ("N2", 3, False, of('path="/etc/passwd"')),
    ("N2", 1, True, slip(root='url="a"')),
    ("N5", 3, False, of('path="a&#10;b"')),
    ("N7", 3, True, of('path=""')),
    ("N7", 1, True, slip(root='url="/a/"')),
    ("N7", 2, True, beside('<dependent-modules><module url="/b/"/></dependent-modules>')),
    ("N10", 4, False, of('path="a.htm"', 'path="A.htm"')),
    ("N13", 4, False, of('path="a"', 'path="a/b"')),
    ("N13", 4, False, of('path="a/b/c"', 'path="A/B"')),
    ("N14", 4, False, of('path="a"', 'path="a"')),
    ("N14", 3, False, beside('<views><json path="a"/>\n<feed path="a"/></views>')),
    ("N15", 3, False, of('path="packageslip.xml"')),
    ("N15", 3, False, of('path=".slipway/x"')),
    ("H1", 3, True, of('path="a" href="//elsewhere/a"')),
    ("H1", 3, True, of('path="a" href="a\\b"')),
    ("H1", 3, True, of('path="a" href=""')),
    ("H1", 3, False, of('path="a" href="https://elsewhere/a"')),
    ("T1", 1, False, slip(root=f'url="/a" version="{EMPTY}"')),
    ("T1", 1, False, slip(root='url="/a" serial="1" queue="q"')),
    ("T1", 1, False, slip(root=f'url="/a" serial="1" queue="q" version="{OTHER}"')),
    ("T1", 3, False, of('path="a" size="1"').replace('url="/a"', f'url="/a" serial="1" queue="q" version="{EMPTY}"')),
    ("T1", 3, False, of(f'path="a" digest="{DIGEST}"').replace('url="/a"', f'url="/a" serial="1" queue="q" version="{EMPTY}"')),
    (
        "T1",
        4,
        False,
        of(f'path="b" size="1" digest="{DIGEST}"', f'path="a" size="1" digest="{DIGEST}"').replace(
            'url="/a"', f'url="/a" serial="1" queue="q" version="{EMPTY}"'
        ),
    ),
]
IDS = [f"{rule}-{index}" for index, (rule, *_) in enumerate(CORPUS)]


def faults_of(document: str | bytes, limits: Limits = DEFAULTS) -> tuple[Fault, ...]:
    with pytest.raises(BadSlip) as refused:
        read_slip(document.encode() if isinstance(document, str) else document, "bad.xml", limits)
    return refused.value.faults


@pytest.mark.parametrize(("rule", "line", "expressible", "document"), CORPUS, ids=IDS)
def test_a_bad_slip_is_refused_by_its_rule_at_its_line(rule: str, line: int, expressible: bool, document: str) -> None:
    assert [(fault.rule, fault.line) for fault in faults_of(document)] == [(rule, line)]


@pytest.mark.parametrize(("rule", "line", "expressible", "document"), CORPUS, ids=IDS)
def test_the_checker_finds_what_the_reader_finds(rule: str, line: int, expressible: bool, document: str) -> None:
    assert tuple(check_slip(BytesIO(document.encode()), "bad.xml")) == faults_of(document)


@pytest.mark.parametrize(("rule", "line", "expressible", "document"), CORPUS, ids=IDS)
def test_the_xsd_refuses_what_a_schema_can_express(rule: str, line: int, expressible: bool, document: str) -> None:
    try:
        valid = SCHEMA.validate(etree.fromstring(document.encode()))
    except etree.XMLSyntaxError:
        valid = False
    assert valid is not expressible


def test_every_fault_is_told_at_once_in_the_order_of_the_document() -> None:
    document = slip(
        '<resource path="../a"/>\n<resource path="b" size="x"/>\n<resource path="b"/>', root='url="/a" uidd="1"', count=9
    )
    found = [(fault.line, fault.rule) for fault in faults_of(document)]
    assert found == [(1, "X5"), (2, "X10"), (3, "N1"), (4, "X8"), (5, "N14")]


def test_an_error_names_the_slip_the_line_and_how_many_more_faults_there_are() -> None:
    with pytest.raises(BadSlip, match=r"^cms/a: line 3: path '\.\./a' is refused: .*\[N1\] \(and 1 more faults") as refused:
        read_slip(of('path="../a"', 'path="/b"').encode(), "cms/a")
    assert str(refused.value.faults[1]).startswith("line 4: ")


def test_an_unknown_attribute_gets_the_nearest_known_one() -> None:
    assert "did you mean 'digest'?" in faults_of(of(f'path="a" digets="{DIGEST}"'))[0].message


def test_a_slip_of_another_module_is_refused() -> None:
    document = slip().encode()
    assert read_slip(document, "slip", url="/a").url == "/a"
    with pytest.raises(BadSlip) as refused:
        read_slip(document, "slip", url="/b")
    assert [(fault.rule, fault.line) for fault in refused.value.faults] == [("U1", 1)]


def test_billions_of_laughs_are_refused_as_a_doctype() -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    document = slip(before=f'<!DOCTYPE p [<!ENTITY l0 "{"ha" * 50}">{entities}]>', root='url="&l9;"')
    assert [fault.rule for fault in faults_of(document)] == ["X2"]
    assert [fault.rule for fault in faults_of(document.encode("utf-16"))] == ["X2"]


@pytest.mark.parametrize(
    ("limits", "line"),
    [(Limits(bytes=100), 0), (Limits(resources=2), 2), (Limits(depth=2), 3), (Limits(attribute=1), 1)],
    ids=["bytes", "resources", "depth", "attribute"],
)
def test_each_limit_ends_the_reading(limits: Limits, line: int) -> None:
    found = faults_of(of('path="a"', 'path="b"', 'path="c"'), limits)[0]
    assert (found.rule, found.line) == ("X4", line)


def test_more_resources_than_the_limit_are_refused_although_fewer_are_declared() -> None:
    document = of('path="a"', 'path="b"', 'path="c"').replace('count="3"', 'count="1"')
    assert ("X4", 5) in [(fault.rule, fault.line) for fault in faults_of(document, Limits(resources=2))]


def test_a_slip_that_goes_on_long_after_its_count_is_not_read_to_its_end() -> None:
    document = of(*(f'path="{number}"' for number in range(3000))).replace('count="3000"', 'count="7"')
    assert [(fault.rule, fault.line) for fault in faults_of(document)] == [("X10", 3 + 7 + 1000)]


def test_after_a_thousand_faults_the_rest_is_not_read() -> None:
    found = faults_of(of(*[f'path="{n}" size="x"' for n in range(1500)]))
    assert len(found) == 1001
    assert "1000 faults" in found[-1].message


def test_bytes_that_are_not_of_the_encoding_are_refused() -> None:
    assert [fault.rule for fault in faults_of(slip(root='url="/a" title="é"').encode("latin-1"))] == ["X6"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_declared_encodings_are_read(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8", "latin-1": "iso-8859-1"}.get(encoding, encoding)
    document = slip(before=f'<?xml version="1.0" encoding="{declared}"?>', root='url="/a" title="é"')
    assert read_slip(document.encode(encoding), "slip").title == "é"


def test_comments_processing_instructions_and_schema_hints_are_not_acted_on() -> None:
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:slipway:packageslip:1 http://127.0.0.1:9/x.xsd"'
    document = slip(
        '<!-- a --><?include file="/etc/passwd"?><resource path="a"/><?b?>\n<resource path="b"/><!-- c -->',
        before='<?xml-stylesheet href="http://127.0.0.1:9/"?><!-- before -->',
        root=f'url="/a" {hint}',
        count=2,
    )
    assert [resource.path for resource in read_slip(document.encode(), "slip").resources] == ["a", "b"]
    assert check_slip(document.encode(), "slip") == []


def test_an_include_is_an_unknown_element() -> None:
    document = slip('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>')
    assert [fault.rule for fault in faults_of(document)] == ["X5"]


def test_sections_may_come_in_any_order() -> None:
    document = f'<packageslip {NS} url="/a"><views><feed path="r"/></views><resources count="1" size="1"><resource path="a"/></resources></packageslip>'
    assert check_slip(document.encode(), "slip") == []


def test_lines_are_right_in_long_documents() -> None:
    resources = [f'path="{n}"' for n in range(70_000)]
    found = faults_of(of(*resources, 'path="../up"'))
    # Past line 65,535 the library knows only the line of the blanks around an element: right, or one too many.
    assert [(fault.line in {70_003, 70_004}, fault.rule) for fault in found] == [(True, "N1")]


def test_a_slip_from_a_pipe_can_be_checked() -> None:
    reading, writing = pipe()
    with fdopen(writing, "wb") as out:
        out.write(slip("x").encode())
    with fdopen(reading, "rb") as stream:
        assert [fault.rule for fault in check_slip(stream, "stdin")] == ["X5"]


def test_a_stream_that_cannot_be_read_says_which_slip_it_was() -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("no")

    with pytest.raises(OSError, match="no") as failed:
        check_slip(Broken(), "slip.xml")
    assert failed.value.__notes__ == ["while checking slip.xml"]


def test_what_is_no_declaration_is_refused_by_reader_and_checker_alike() -> None:
    document = GOOD.replace(b"<?xml", b"<?:xml", 1)
    with pytest.raises(BadSlip) as refused:
        read_slip(document, "slip")
    assert check_slip(document, "slip") == list(refused.value.faults)


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_never_divides_reader_and_checker(data: st.DataObject) -> None:
    whole = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=2) | st.sampled_from([b"<", b"/>", b'"', b"&"])
        )
    document = bytes(whole)
    found = check_slip(document, "slip")
    try:
        read_slip(document, "slip")
        refused: tuple[Fault, ...] = ()
    except BadSlip as error:
        refused = error.faults
    assert tuple(found) == refused


GOOD = write_slip(
    on_target(
        Packageslip(
            "/a",
            resources=(Resource("i.htm", Kind.PAGE, size=1, digest=b"\0" * 32), Resource("x/b.pdf", size=2, digest=b"\1" * 32)),
            views=(View("v.json", ViewKind.JSON, size=3, digest=b"\2" * 32),),
            dependents=("/b",),
        ),
        serial=1,
        queue="q",
    )
)


def test_a_second_document_after_the_first_is_refused_wherever_the_pieces_end() -> None:
    # While it validates, the library forgets an error at the end of one piece and starts anew with the next.
    document = GOOD + b"x" * (CHUNK - len(GOOD)) + GOOD
    assert [fault.rule for fault in check_slip(document, "slip")] == ["X1"]
    assert [fault.rule for fault in faults_of(document)] == ["X1"]


@pytest.mark.parametrize(
    "tail", [b"<", b"<?", b"<!--", b"\n<", b"<!-- </packageslip>", b"<!" + b" " * CHUNK + b"</packageslip>", b"<x </packageslip>"]
)
def test_what_is_unfinished_after_the_root_is_refused(tail: bytes) -> None:
    assert [fault.rule for fault in check_slip(GOOD + tail, "slip")] == ["X1"]
    assert [fault.rule for fault in faults_of(GOOD + tail)] == ["X1"]


def test_comments_after_the_root_are_not_acted_on() -> None:
    assert check_slip(GOOD + b"<!-- generated -->\n", "slip") == []


def test_bytes_whose_slip_somebody_has_are_not_read_again() -> None:
    kept = read_slip(GOOD, "one")
    assert read_slip(bytes(bytearray(GOOD)), "two", url="/a") is kept
    with pytest.raises(BadSlip, match="not of '/b'"):
        read_slip(GOOD, "three", url="/b")
    with pytest.raises(BadSlip, match="longer than 10 bytes"):
        read_slip(GOOD, "four", Limits(bytes=10))
    changed = GOOD.replace(b'serial="1"', b'serial="2"')
    assert read_slip(changed, "five").serial == 2


def test_a_slip_that_nobody_has_any_more_costs_no_memory() -> None:
    kept = weakref.ref(read_slip(GOOD.replace(b'serial="1"', b'serial="3"'), "slip"))
    gc.collect()
    assert kept() is None
