"""A good package, and what the check says of one."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archives import Finding, check_package
from support.package_entries import Entries, entries_of
from support.sample_module import built


@pytest.fixture(scope="module")
def good() -> Entries:
    return entries_of(built("imscp"))


@pytest.fixture
def findings(tmp_path: Path) -> Callable[..., list[Finding]]:
    """What the check says of these entries."""

    def check(entries: Entries, compression: int = zipfile.ZIP_STORED) -> list[Finding]:
        path = tmp_path / "package.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, body in entries.items():
                archive.writestr(name, body)
        return check_package(path)

    return check
