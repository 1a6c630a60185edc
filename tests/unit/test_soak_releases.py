"""A visitor who resolves a module's link, and the judge of a site at rest, notice what is wrong with a release."""

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from packageslip import Packageslip, Resource, files_digest, on_target, write_slip
from reliability.soak_shelves import shelves
from reliability.soak_site import Site, sealed
from reliability.visitor import Places, Visitor
from targets.shelf import Shelf

MODULE = "/m5/in"
SHELF = Shelf(".slipway-releases", MODULE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A module in two releases, of which the link leads to the second."""
    site = Site(tmp_path / "cms", random.Random(1))
    root = tmp_path / "www"
    for serial in (1, 2):
        files = site.change(MODULE).files
        resources = (Resource(path, size=len(it), digest=hashlib.sha256(it).digest()) for path, it in sorted(files.items()))
        slip = on_target(Packageslip(MODULE, tuple(resources)), serial=serial, queue="q")
        name = f"{serial:019d}.0000000a={(files_digest(slip) or b'').hex()}+"
        document = write_slip(slip)
        for path, content in {**files, "packageslip.xml": document, "../release.xml": document}.items():
            place = root / SHELF.tree(name) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    (root / "m5").mkdir()
    (root / "m5/in").symlink_to(SHELF.lead(name))
    return root


def visited(root: Path) -> Visitor:
    told = {"target": "staging", "root": str(root), "modules": [MODULE], "steady": [], "versioned": [MODULE]}
    visitor = Visitor([Places(told)], random.Random(2))
    visitor.resolve(visitor.places[0], MODULE)
    return visitor


def found(root: Path) -> list[str]:
    return [str(violation) for violation in shelves("staging", root, [MODULE], keep=2)]


def live(root: Path) -> Path:
    return (root / "m5/in").resolve()


def test_a_release_that_is_whole_is_fine(root: Path) -> None:
    visitor = visited(root)
    assert visitor.violations == []
    assert visitor.resolved == 1
    assert visitor.reads >= 8
    assert found(root) == []


def asset(tree: Path) -> Path:
    return min(tree.glob("img/*"))


def edited(tree: Path) -> None:
    asset(tree).write_bytes(sealed(MODULE, f"img/{asset(tree).name}", 1, b"edited in place"))


def missing(tree: Path) -> None:
    asset(tree).unlink()


def one_more(tree: Path) -> None:
    (tree / "img/z.bin").write_bytes(sealed(MODULE, "img/z.bin", 2, b"nobody's"))


def slipless(tree: Path) -> None:
    (tree / "packageslip.xml").unlink()


def of_two_versions(tree: Path) -> None:
    """As its slip says, and yet not what its page needs."""
    page = tree / "more/page.htm"
    relisted(tree, page, sealed(MODULE, "more/page.htm", 1, page.read_bytes().partition(b"\n")[2]))


def of_another_version_than_its_pages(tree: Path) -> None:
    relisted(tree, asset(tree), sealed(MODULE, f"img/{asset(tree).name}", 1, b"older"))


def relisted(tree: Path, place: Path, content: bytes) -> None:
    """Other bytes, and a slip that says so."""
    slip = (tree / "packageslip.xml").read_bytes()
    before, after = (hashlib.sha256(each).hexdigest().encode() for each in (place.read_bytes(), content))
    place.write_bytes(content)
    (tree / "packageslip.xml").write_bytes(slip.replace(before, after))


SPOILED: dict[Callable[[Path], None], str] = {
    edited: "other bytes than its slip says",
    missing: "lacks",
    one_more: "too many",
    slipless: "too many",
    of_two_versions: "of the versions",
    of_another_version_than_its_pages: "other bytes than its pages need",
}


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__)
def test_a_visitor_sees_a_release_that_is_mixed(root: Path, spoil: Callable[[Path], None]) -> None:
    spoil(live(root))
    assert [SPOILED[spoil] in told for told in visited(root).violations] == [True]


def test_a_release_that_went_while_it_was_read_is_no_violation(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = live(root)
    leads = iter([str(tree), None])
    monkeypatch.setattr(Places, "behind", lambda *_: next(leads))
    tree.parent.rename(root / "trash")
    visitor = visited(root)
    assert (visitor.violations, visitor.resolved) == ([], 0)


def test_a_link_that_leads_nowhere_is_seen(root: Path) -> None:
    live(root).parent.rename(root / "trash")
    assert ["which is not there" in told for told in visited(root).violations] == [True]


@pytest.mark.parametrize("spoil", [edited, missing, one_more], ids=lambda spoil: spoil.__name__)
def test_the_judge_sees_a_release_that_is_not_what_its_slip_says(root: Path, spoil: Callable[[Path], None]) -> None:
    for tree in (live(root), *(root / SHELF.root).glob("*/tree")):
        spoil(tree)
        assert [told for told in found(root) if "is not what its slip says" in told]


def test_the_judge_sees_a_link_that_leads_nowhere_and_what_was_left_over(root: Path) -> None:
    (root / SHELF.folder / "+m9").mkdir()
    (root / SHELF.folder / "+m9/left").write_text("over")
    live(root).parent.rename(root / SHELF.root / "half")
    told = found(root)
    assert any("leads to" in each for each in told), told
    assert any("+m9/left on staging was left over" in each for each in told), told
    assert any("/half/release.xml on staging was left over" in each for each in told), told


def test_the_judge_counts_releases(root: Path) -> None:
    told = [str(each) for each in shelves("staging", root, [MODULE], keep=1)]
    assert told == ["release: 2 releases of /m5/in stand on staging, where 1 are kept"]
