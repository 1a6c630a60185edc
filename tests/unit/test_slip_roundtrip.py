"""What is written can be read back, and only whole."""

from hashlib import sha256

import pytest

from packageslip import BadSlip, Kind, Packageslip, Resource, View, ViewKind, on_target, read_slip, write_slip

BYTES = sha256(b"bytes").digest()
SLIP = Packageslip(
    "/courses/physics/8-01",
    resources=(
        Resource("notes/l1.pdf", size=5, digest=BYTES, href="/files?id=1&v=2"),
        Resource("index.htm", Kind.PAGE, "text/html", size=5, digest=BYTES, title='A "page" <of> é\n', modified=1569433654),
    ),
    views=(View("index.json", ViewKind.JSON, size=2, digest=BYTES), View("rss.xml", ViewKind.FEED, size=2, digest=BYTES)),
    dependents=("/courses/physics",),
    linked_departments=("6",),
    zip_required=True,
)


def test_a_written_slip_reads_back_equal() -> None:
    assert read_slip(write_slip(SLIP), "slip") == SLIP


def test_a_published_slip_reads_back_equal() -> None:
    published = on_target(SLIP, serial=7, queue="q")
    assert read_slip(write_slip(published), "slip", url=SLIP.url) == published


@pytest.mark.parametrize("slip", [SLIP, on_target(SLIP, serial=7, queue="q")], ids=["source", "target"])
def test_a_slip_that_is_cut_anywhere_is_refused(slip: Packageslip) -> None:
    whole = write_slip(slip).rstrip()
    accepted = []
    for length in range(len(whole)):
        try:
            read_slip(whole[:length], "slip")
        except BadSlip:
            continue
        accepted.append(length)
    assert accepted == []
