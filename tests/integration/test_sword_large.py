"""A large package goes out piece by piece, whole, and can be found after its answer was lost."""

import hashlib
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archives import AnswerLost, Form, Sword, build_package, packaging_for
from config import ArchiveSettings
from support.sample_module import OPTIONS, sample
from support.sword_server import ACCOUNT, Rules, SwordServer

IDENTIFIER = "8-01-fall-1999-0123456789abcdef"
SIZE = 48 * 1024 * 1024


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A METS package with one large file."""
    package = tmp_path / "large.zip"
    with package.open("wb") as out:
        content = replace(sample({"large.bin": bytes(SIZE)}), identifier=IDENTIFIER)
        build_package(Form.METS, content, OPTIONS, out)
    return package


def md5_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def test_a_large_package_needs_little_memory_and_its_lost_answer_is_found(
    sword_server: Callable[..., SwordServer], large: Path
) -> None:
    server = sword_server(process=True, rules=Rules(duplicates=True))
    server.break_with("cut", when="after", times=1)
    settings = ArchiveSettings(
        kind="sword1",
        deposits={"default": server.collection("v1")},
        username=ACCOUNT[0],
        lookup=f"{server.url}/search?query=$identifier",
    )
    sword, md5 = Sword(settings, ACCOUNT[1]), md5_of(large)
    tracemalloc.start()
    try:
        with pytest.raises(AnswerLost):
            sword.deposit(
                large,
                large.stat().st_size,
                md5,
                large.name,
                collection=settings.deposits["default"],
                packaging=packaging_for(settings, "mets"),
                slug=IDENTIFIER,
            )
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()
    found = sword.find(settings.deposits["default"], identifier=IDENTIFIER, md5="0" * 32)
    assert found is not None
    assert found.handle == "1721.1/1001"
    assert [(item.md5, item.size) for item in server.items] == [(md5, large.stat().st_size)]
