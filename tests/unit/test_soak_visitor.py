"""A visitor of a soak notices what is wrong; otherwise a soak without violations would tell nothing."""

import hashlib
import random
from pathlib import Path

import pytest

from reliability.soak_site import Site, sealed
from reliability.visitor import Places, Visitor, judge, version

MODULE = "/m0"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site at rest: two modules as the generator makes them."""
    site = Site(tmp_path / "cms", random.Random(1))
    for module in ("/m0", "/m1"):
        for _ in range(3):
            made = site.change(module)
        for path, content in made.files.items():
            place = tmp_path / "www" / module.strip("/") / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    return tmp_path / "www"


def visited(root: Path, visits: int = 120) -> Visitor:
    told = {"target": "staging", "root": str(root), "modules": [MODULE, "/m1"], "steady": [MODULE, "/m1"]}
    visitor = Visitor([Places(told)], random.Random(2))
    for _ in range(visits):
        visitor.visit()
    return visitor


def test_a_site_at_rest_is_fine(root: Path) -> None:
    visitor = visited(root)
    assert visitor.violations == []
    assert visitor.pages == 120
    known = {hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}
    assert {digest for _, _, digest in visitor.seen} <= known


def needed(root: Path) -> Path:
    """An asset that the front page needs."""
    line = next(line for line in (root / "m0/index.htm").read_text().splitlines() if line.startswith("needs "))
    return root / "m0" / line.split()[1]


@pytest.mark.parametrize("cut", [0, 10, 100, -1])
def test_a_torn_file_is_seen(root: Path, cut: int) -> None:
    asset = needed(root)
    asset.write_bytes(asset.read_bytes()[:cut])
    assert any("torn" in violation for violation in visited(root).violations)


def test_a_flipped_byte_is_seen(root: Path) -> None:
    asset = needed(root)
    content = bytearray(asset.read_bytes())
    content[-5] ^= 1
    asset.write_bytes(content)
    assert any("torn" in violation for violation in visited(root).violations)


def test_another_modules_file_is_seen(root: Path) -> None:
    needed(root).write_bytes(sealed("/m1", "img/a0.bin", 3, b"x"))
    assert any("lies here" in violation for violation in visited(root).violations)


def test_a_page_without_what_it_needs_is_seen(root: Path) -> None:
    needed(root).unlink()
    assert any("which is not there" in violation for violation in visited(root).violations)


def test_a_page_before_what_it_needs_is_seen(root: Path) -> None:
    asset = needed(root)
    asset.write_bytes(sealed(MODULE, str(asset.relative_to(root / "m0")), 0, b"old"))
    assert any("older version" in violation for violation in visited(root).violations)


def test_what_a_page_needs_may_be_newer(root: Path) -> None:
    asset = needed(root)
    asset.write_bytes(sealed(MODULE, str(asset.relative_to(root / "m0")), 99, b"new"))
    assert visited(root).violations == []


def test_a_lost_front_page_is_seen(root: Path) -> None:
    told = {"target": "staging", "root": str(root), "modules": [MODULE], "steady": [MODULE]}
    visitor = Visitor([Places(told)], random.Random(2))
    for _ in range(20):
        visitor.visit()
    (root / "m0/index.htm").unlink()
    for _ in range(20):
        visitor.visit()
    assert any("is gone" in violation for violation in visitor.violations)


def test_a_file_says_what_it_is() -> None:
    content = sealed("/m", "a.bin", 7, b"body")
    assert judge("/m", "a.bin", content) is None
    assert version(content) == 7
    assert version(b"nothing of ours") == 0
