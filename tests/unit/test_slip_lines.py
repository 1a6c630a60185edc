"""Slips whose resources are a line each are read another way, and say the same."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packageslip import BadSlip, Kind, Limits, Packageslip, Resource, UnsafePath, check_paths, on_target, read_slip, write_slip
from packageslip.lines import NotPlain, halves, read_lines
from packageslip.listing import Listing

DIGEST = bytes(range(32))
ONE = Resource("a/index.htm", Kind.PAGE, "text/html", size=5, digest=DIGEST, title='A "page" & <more>', modified=1569433654)
TWO = Resource("b é.pdf", size=7, digest=DIGEST, href="/files?id=1&v=2", order=3, download=False)
SLIP = on_target(Packageslip("/m", (ONE, TWO)), serial=7, queue="ab" * 16)
LINE = '<resource path="a" kind="file" type="a/b" size="5"/>'


def document(*lines: str, count: int | None = None, before: str = "", after: str = "") -> bytes:
    listed = "".join(f"    {line}\n" for line in lines)
    count = len(lines) if count is None else count
    head = f'{before}<packageslip xmlns="urn:slipway:packageslip:1" url="/m">'
    return f'{head}\n  <resources count="{count}">\n{listed}  </resources>\n{after}</packageslip>\n'.encode()


def as_whole(data: bytes) -> Packageslip:
    """Read element by element: a stream always is."""
    return read_slip(BytesIO(data), "whole")


def plainly(data: bytes) -> Listing:
    _, first, last = halves(data)
    return read_lines(data, first, last, 8192)


def test_what_the_writer_wrote_is_plain_and_reads_the_same() -> None:
    data = write_slip(SLIP)
    assert tuple(plainly(data)) == as_whole(data).resources == SLIP.resources
    assert read_slip(data, "bytes") == as_whole(data) == SLIP


def test_lines_that_the_writer_wrote_are_written_again_as_they_are() -> None:
    data = write_slip(SLIP)
    later = replace(read_slip(data, "bytes"), serial=8)
    assert isinstance(later.resources, Listing)
    assert later.resources.lines is not None
    assert later.resources.lines in data
    assert write_slip(later) == data.replace(b'serial="7"', b'serial="8"') == write_slip(replace(SLIP, serial=8))


def test_a_source_s_lines_are_put_in_order_and_not_made_again() -> None:
    found = read_slip(write_slip(Packageslip("/m", (TWO, ONE))), "bytes")
    kept = on_target(found, serial=7, queue="ab" * 16)
    assert isinstance(kept.resources, Listing)
    assert kept.resources.lines is not None
    assert write_slip(kept) == write_slip(SLIP)


def test_lines_of_a_file_that_is_recorded_otherwise_are_made_again() -> None:
    listed = Listing((replace(TWO, etag="\x01"), ONE))
    listed.lines = b"not to be\nwritten\n"
    assert write_slip(on_target(Packageslip("/m", listed), serial=7, queue="ab" * 16)) == write_slip(SLIP)


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace('"5"', '"05"'),
        LINE.replace(' size="5"', ' modified="2019-09-25T17:47:34+00:00"'),
        LINE.replace(' size="5"', ' download="true"'),
        LINE.replace(' size="5"', ' title="a > b"'),
        '<resource kind="file" path="a" type="a/b"/>',
        LINE.replace("/>", " />"),
        f"  {LINE}",
    ],
)
def test_lines_in_another_spelling_are_not_written_again_as_they_are(line: str) -> None:
    found = read_slip(document(line), "bytes")
    assert plainly(document(line))[0] == found.resources[0]
    assert write_slip(found) == write_slip(replace(found, resources=tuple(found.resources)))


@pytest.mark.parametrize(
    "data",
    [
        document(LINE, before="<!-- more -->"),
        document(LINE, before="<?p?>"),
        document(LINE, before="<!DOCTYPE packageslip>"),
        document(LINE, before='<?xml version="1.0" encoding="latin-1"?>'),
        document(LINE, after="<![CDATA[ ]]>"),
        document(LINE, after='  <resources count="0"/>\n'),
        document(LINE.replace("/>", "></resource>")),
        document(LINE.replace('"', "'")),
        document(f"{LINE}{LINE}", count=2),
        document(LINE, "more"),
        document(LINE, "<!-- a line -->"),
        document(LINE.replace(' type="a/b"', ' kind="page"')),
        document(LINE.replace(' type="a/b"', ' sort="a"')),
        document(LINE.replace(' path="a"', "")),
        document(LINE.replace("a/b", "a/b&amp")),
        document(LINE.replace("a/b", "a/b&#65;")),
        document(LINE.replace('"a/b"', '"a/b"  ')),
        document(LINE.replace('path="a"', 'path="../a"')),
        document(LINE.replace('"5"', '"five"')),
        document(LINE.replace('type="a/b"', 'title="\x01"')),
        document(LINE.replace('type="a/b"', 'title="\ufffe"')),
        document(LINE.replace('type="a/b"', f'title="{"x" * 9000}"')),
        document(LINE).replace(b'"a/b"', b'"\xff"'),
        document(LINE).replace(b'"a/b"', b'"\ta/b"'),
        b"",
    ],
)
def test_whatever_is_not_plain_is_read_as_a_whole(data: bytes) -> None:
    with pytest.raises(NotPlain):
        plainly(data)
    assert outcome(lambda: read_slip(data, "whole")) == outcome(lambda: as_whole(data))


@pytest.mark.parametrize(
    "data",
    [
        document(LINE, count=2),
        document(LINE, LINE),
        document(LINE, LINE.replace('"a"', '"A"')),
        document(LINE, LINE.replace('"a"', '"a/b"')),
        document(LINE.replace('"a"', '"a/b/c"'), LINE),
        document(LINE, LINE.replace('"a"', '"."')),
        document(LINE, after='  <views>\n    <json path="a"/>\n  </views>\n'),
        document(LINE, after='  <views>\n    <json path="a/b"/>\n  </views>\n'),
        document(LINE, after="  <more/>\n"),
        document(LINE)[:-5],
        write_slip(SLIP).replace(b'"b \xc3\xa9.pdf"', b'"a/a.pdf"'),
        write_slip(SLIP).replace(b' size="7"', b""),
        write_slip(SLIP).replace(b"00010203", b"10010203"),
        write_slip(SLIP).replace(b'size="12"', b'size="13"'),
    ],
)
def test_plain_lines_in_a_bad_document_are_refused_with_every_fault_as_ever(data: bytes) -> None:
    with pytest.raises(BadSlip) as refused:
        read_slip(data, "whole")
    with pytest.raises(BadSlip) as ever:
        as_whole(data)
    assert refused.value.faults == ever.value.faults


def outcome(read: Callable[[], Packageslip]) -> object:
    """What came of it: the slip, or its faults."""
    try:
        return read()
    except BadSlip as error:
        return error.faults


@pytest.mark.parametrize("limits", [Limits(bytes=100), Limits(resources=1), Limits(depth=2), Limits(attribute=10)])
def test_limits_are_those_of_every_document(limits: Limits) -> None:
    data = write_slip(SLIP)
    with pytest.raises(BadSlip) as refused:
        read_slip(data, "whole", limits)
    with pytest.raises(BadSlip) as ever:
        read_slip(BytesIO(data), "whole", limits)
    assert refused.value.faults == ever.value.faults


@given(st.data())
def test_a_changed_byte_never_divides_the_two_ways(data: st.DataObject) -> None:
    good = write_slip(SLIP)
    place = data.draw(st.integers(0, len(good) - 1))
    changed = good[:place] + data.draw(st.binary(max_size=2)) + good[place + data.draw(st.integers(0, 2)) :]
    assert outcome(lambda: read_slip(changed, "whole")) == outcome(lambda: as_whole(changed))


def test_only_paths_that_were_checked_are_believed_to_be_safe() -> None:
    bad = replace(SLIP, resources=Listing((replace(ONE, path="../a"),)))
    for slip in (bad, replace(bad, resources=tuple(bad.resources))):
        with pytest.raises(UnsafePath):
            check_paths(slip)
        with pytest.raises(UnsafePath):
            check_paths(slip)
    check_paths(read_slip(write_slip(SLIP), "bytes"))
