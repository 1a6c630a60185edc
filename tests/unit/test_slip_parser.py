"""What the XML library would do if it were let, and what a slip cannot have both ways."""

from pathlib import Path

import pytest
from lxml import etree

from packageslip import BadSlip, check_slip, read_slip
from packageslip.parsing import _EVENTS, _OPTIONS


def text_of(document: str) -> str:
    """The text that the parser of slips finds in a document, or what it says against it."""
    parser = etree.XMLPullParser(_EVENTS, **_OPTIONS)
    try:
        parser.feed(document.encode())
        root = parser.close()
    except etree.XMLSyntaxError as error:
        return f"refused: {error.msg}"
    return "".join(root.itertext())


def test_an_entity_of_a_file_brings_nothing_in(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    found = text_of(f'<!DOCTYPE a [<!ENTITY file SYSTEM "file://{tmp_path}/secret"><!ENTITY own "expanded">]><a>&file;&own;</a>')
    assert "canary" not in found
    assert "expanded" not in found


def test_a_huge_value_is_not_taken_in() -> None:
    assert text_of(f'<a title="{"x" * 11_000_000}"/>').startswith("refused: ")


def test_one_path_with_two_digests_is_no_choice() -> None:
    twice = "".join(f'<resource path="a" digest="sha256:{digit * 64}"/>' for digit in "01")
    document = f'<packageslip xmlns="urn:slipway:packageslip:1" url="/a"><resources count="2">{twice}</resources></packageslip>'
    with pytest.raises(BadSlip, match="'a' is listed twice"):
        read_slip(document.encode(), "slip")


@pytest.mark.parametrize("instruction", [b"<?:xml version='1.0'?>", b"<?x:y?>", b"\n<?:a?>"])
def test_an_instruction_before_the_root_never_divides_reader_and_checker(instruction: bytes) -> None:
    document = instruction + b'<packageslip xmlns="urn:slipway:packageslip:1" url="/a"><resources count="0"/></packageslip>'
    found = check_slip(document, "slip")
    with pytest.raises(BadSlip) as refused:
        read_slip(document, "slip")
    assert [fault.rule for fault in found] == ["X1"]
    assert tuple(found) == refused.value.faults
