"""Real courses, where SLIPWAY_REAL_DATA names the folder that has them."""

import os
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder; skips where the setting is absent. A file that is missing in it fails the test that wants it."""
    setting = os.environ.get("SLIPWAY_REAL_DATA")
    if not setting:
        pytest.skip("SLIPWAY_REAL_DATA is not set: no real courses here")
    return Path(setting)


@pytest.fixture
def real_course(real_data: Path, tmp_path: Path) -> Path:
    """A whole real course, unpacked: 6.868J The Society of Mind, 259 files."""
    folder = tmp_path / "6-868j-spring-2007"
    with zipfile.ZipFile(real_data / "6-868j-spring-2007.zip") as archive:
        archive.extractall(folder)
    return folder
