"""Whether a slip is still the one that a task works with."""

from dataclasses import replace

import pytest

from packageslip import Kind, Packageslip, Resource, View, ViewKind
from sources.sameness import Original, Remembered, agrees, strong

SLIP = Packageslip(
    "/a",
    (Resource("index.htm", Kind.PAGE, size=3, digest=b"1" * 32, modified=5), Resource("b.pdf")),
    (View("feed.xml", ViewKind.FEED),),
    revision="7",
)
OPEN = SLIP.resources[1]


def test_a_slip_agrees_with_itself_in_any_order() -> None:
    assert agrees(SLIP, SLIP)
    assert agrees(SLIP, replace(SLIP, resources=SLIP.resources[::-1]))


def test_filling_in_what_was_open_changes_nothing() -> None:
    filled = replace(
        SLIP,
        resources=(SLIP.resources[0], replace(OPEN, size=1, digest=b"2" * 32, modified=9, etag='"x"')),
        views=(replace(SLIP.views[0], size=4, digest=b"3" * 32),),
        serial=4,
        version=b"4" * 32,
        queue="q",
    )
    assert agrees(SLIP, filled)
    assert not agrees(filled, SLIP)


@pytest.mark.parametrize(
    "now",
    [
        replace(SLIP, revision="8"),
        replace(SLIP, title="other"),
        replace(SLIP, dependents=("/b",)),
        replace(SLIP, resources=SLIP.resources[:1]),
        replace(SLIP, resources=(*SLIP.resources, Resource("c"))),
        replace(SLIP, views=()),
        replace(SLIP, resources=(replace(SLIP.resources[0], digest=b"9" * 32), OPEN)),
        replace(SLIP, resources=(replace(SLIP.resources[0], size=4), OPEN)),
        replace(SLIP, resources=(replace(SLIP.resources[0], modified=6), OPEN)),
        replace(SLIP, resources=(SLIP.resources[0], replace(OPEN, href="c.pdf"))),
        replace(SLIP, views=(View("feed.xml", ViewKind.JSON),)),
        replace(SLIP, views=(View("feed.xml", ViewKind.FEED, href="x"),)),
        replace(SLIP, views=(), resources=(*SLIP.resources, Resource("feed.xml"))),
    ],
)
def test_any_other_change_is_a_change(now: Packageslip) -> None:
    assert not agrees(now, SLIP)


ONE = Original(b"1" * 32, '"one"')


def test_a_document_is_remembered_for_exactly_its_slip() -> None:
    remembered = Remembered()
    remembered.keep(SLIP, ONE)
    assert remembered.of(SLIP) == ONE
    assert remembered.name(SLIP) == ONE.digest.hex()
    assert remembered.of(replace(SLIP, revision="8")) is None
    assert remembered.name(replace(SLIP, revision="8")) == ""


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_an_etag_that_promises_nothing_is_none(etag: str | None) -> None:
    assert strong(etag) is None
    assert strong('"one"') == '"one"'


def test_the_oldest_are_forgotten() -> None:
    remembered = Remembered()
    slips = [Packageslip(f"/{number}") for number in range(5000)]
    for slip in slips:
        remembered.keep(slip, ONE)
    assert remembered.of(slips[0]) is None
    assert remembered.of(slips[-1]) == ONE
