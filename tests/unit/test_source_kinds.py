"""Opening a source by its name in the configuration."""

from pathlib import Path

import pytest

from config import LimitSettings, Secret, Settings
from sources import DirectorySource, PermanentSourceError, TargetSource, open_source
from sources.http import HttpSource
from targets import MemoryDisk, MemoryFiles, OrderedTarget, PlacedOptions, Target


class Safe:
    """Secrets that remember what was asked for."""

    def __init__(self) -> None:
        self.read_from: list[Secret] = []

    def read(self, secret: Secret) -> str:
        self.read_from.append(secret)
        return "hunter2"


def open_target(name: str) -> Target:
    return OrderedTarget(name, MemoryDisk(MemoryFiles()), PlacedOptions())


def settings(folder: Path, **options: object) -> Settings:
    cms = {"kind": "http", "url": "http://127.0.0.1:1/", "retries": 0, **options}
    return Settings.model_validate({"sources": {"cms": cms, "site": {"kind": "directory", "path": str(folder)}}})


def test_each_kind_is_opened_by_its_name(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    kinds = {"cms": HttpSource, "site": DirectorySource, "target:staging": TargetSource}
    for name, kind in kinds.items():
        source = open_source(name, configured, targets=open_target, secrets=Safe())
        assert type(source) is kind
        assert source.name == name
        source.close()


def test_a_target_source_opens_the_target_of_its_name(tmp_path: Path) -> None:
    opened: list[str] = []

    def noting(name: str) -> Target:
        opened.append(name)
        return open_target(name)

    source = open_source("target:staging", settings(tmp_path), targets=noting, secrets=Safe())
    assert opened == []
    assert list(source.modules()) == []
    assert opened == ["staging"]
    source.close()


def test_the_password_is_read_from_its_secret_and_sent(tmp_path: Path) -> None:
    safe = Safe()
    configured = settings(tmp_path, username="me", password={"file": "/secret"})
    source = open_source("cms", configured, targets=open_target, secrets=safe)
    assert isinstance(source, HttpSource)
    assert safe.read_from == [Secret(file=Path("/secret"))]
    assert source._client._headers["Authorization"] == "Basic bWU6aHVudGVyMg=="


def test_the_limits_of_slips_are_the_configured_ones(tmp_path: Path) -> None:
    limits = LimitSettings(slip_bytes=5000, resources=10, depth=8)
    configured = settings(tmp_path).model_copy(update={"limits": limits})
    source = open_source("site", configured, targets=open_target, secrets=Safe())
    assert isinstance(source, DirectorySource)
    assert (source._limits.bytes, source._limits.resources, source._limits.depth) == (5000, 10, 8)


def test_an_unknown_name_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(PermanentSourceError, match="no source 'csm' in the configuration; it has: cms, site"):
        open_source("csm", settings(tmp_path), targets=open_target, secrets=Safe())
    with pytest.raises(PermanentSourceError, match="it has: none"):
        open_source("csm", Settings(), targets=open_target, secrets=Safe())
