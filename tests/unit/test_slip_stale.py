"""Files that a slip on a target lists as stale."""

from dataclasses import replace

import pytest

from packageslip import (
    BadSlip,
    Packageslip,
    Resource,
    Stale,
    check_slip,
    diff_slips,
    on_target,
    read_slip,
    version_of,
    write_slip,
)

DIGEST = bytes(range(32))
OLD = Stale("old.css", 3, DIGEST, since=1_700_000_000)
SLIP = on_target(Packageslip("/a", (Resource("index.htm", size=1, digest=DIGEST),)), serial=1, queue="q")
WITH = replace(SLIP, stale=(OLD, Stale("old.htm", 5, DIGEST, since=1_700_000_060, page=True)))
DOCUMENT = write_slip(WITH).decode()
LINE = next(line for line in DOCUMENT.splitlines() if "old.css" in line)


def faults(document: str) -> list[tuple[str, int]]:
    found = check_slip(document.encode(), "a slip")
    with pytest.raises(BadSlip) as refused:
        read_slip(document.encode(), "a slip")
    assert list(refused.value.faults) == found
    return [(fault.rule, fault.line) for fault in found]


def test_they_are_read_as_they_were_written() -> None:
    assert read_slip(DOCUMENT.encode(), "a slip") == WITH
    assert check_slip(DOCUMENT.encode(), "a slip") == []


def test_they_are_no_part_of_the_module() -> None:
    assert [file.path for file in WITH.files()] == ["index.htm"]
    assert [file.path for file in WITH.ours()] == ["index.htm", "old.css", "old.htm"]
    assert version_of(WITH) == version_of(SLIP)
    assert diff_slips(SLIP, WITH) == diff_slips(SLIP, SLIP)


def test_a_slip_without_any_says_nothing_of_them() -> None:
    assert "stale" not in write_slip(SLIP).decode()


def test_they_may_go_when_their_grace_is_over() -> None:
    assert OLD.until(900) == 1_700_000_900


def test_a_source_cannot_claim_any() -> None:
    unpublished = write_slip(replace(WITH, serial=None, version=None, queue=None)).decode()
    assert faults(unpublished) == [("T1", 6)]


def test_what_is_live_cannot_be_stale() -> None:
    assert faults(DOCUMENT.replace("old.css", "index.htm")) == [("N14", 7)]


def test_none_is_stale_twice() -> None:
    assert faults(DOCUMENT.replace("old.css", "old.htm")) == [("N14", 8)]


def test_a_twin_by_case_of_a_live_one_can_be_stale() -> None:
    assert check_slip(DOCUMENT.replace("old.css", "Index.htm").encode(), "a slip") == []


@pytest.mark.parametrize(
    ("was", "becomes", "rule", "line"),
    [
        ('stale count="2"', 'stale count="3"', "X10", 6),
        ('stale count="2"', "stale", "X5", 6),
        ('path="old.css"', 'path="../old.css"', "N1", 7),
        (' since="2023-11-14T22:13:20Z"', "", "X5", 7),
        (LINE, LINE.replace(' path="old.css"', ""), "X5", 7),
        ('since="2023-11-14T22:13:20Z"', 'since="yesterday"', "X8", 7),
    ],
)
def test_each_is_whole_and_safe(was: str, becomes: str, rule: str, line: int) -> None:
    assert faults(DOCUMENT.replace(was, becomes)) == [(rule, line)]
