"""What is wrong with a mirror's settings is said by day."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from config import Settings
from config.crosscheck import crosscheck

ROOT = Path(__file__).resolve().parents[2]
GOOD: dict[str, Any] = {
    "site": ["https://ocw.example.edu"],
    "rules": [{"match": r"^(\w+)", "replace": r"/\1"}],
    "externals": [
        {"match": "^http://x/", "into": "/x", "recursive": True},
        {"folder": "/srv/x", "into": "/y"},
        {"list": "/l", "into": "/z"},
    ],
    "drop_unreferenced": [".mp4"],
    "report": "report.json",
}


def faults(source: str = "target:production", **snapshot: Any) -> list[str]:
    table = {
        "sources": {"cms": {"kind": "directory", "path": "/srv/cms"}},
        "targets": {"production": {"kind": "memory"}, "mirror": {"kind": "memory"}},
        "environments": {"MIRROR": {"source": source, "origin": "mirror", "snapshot": GOOD | snapshot}},
    }
    found = crosscheck(Settings.model_validate(table))
    return [".".join(map(str, each.place[2:])) for each in found]


def test_good_settings_have_no_fault() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("snapshot", "where"),
    [
        ({"rules": [{"match": "(", "replace": ""}]}, "snapshot.rules.0.match"),
        ({"rules": [{"match": "x", "replace": r"\1"}]}, "snapshot.rules.0.replace"),
        ({"rules": [{"match": "x", "replace": r"\g<y>"}]}, "snapshot.rules.0.replace"),
        ({"externals": [{"into": "/x"}]}, "snapshot.externals.0"),
        ({"externals": [{"match": "x", "list": "/x", "into": "/x"}]}, "snapshot.externals.0"),
        ({"externals": [{"match": "[", "into": "/x"}]}, "snapshot.externals.0.match"),
        ({"externals": [{"match": "x", "into": "x"}]}, "snapshot.externals.0.into"),
        ({"externals": [{"folder": "x", "into": "/x"}]}, "snapshot.externals.0.folder"),
        ({"externals": [{"list": "x", "into": "/x"}]}, "snapshot.externals.0.list"),
        ({"externals": [{"list": "/x", "into": "/x", "recursive": True}]}, "snapshot.externals.0.recursive"),
        ({"drop_unreferenced": ["mp4"]}, "snapshot.drop_unreferenced.0"),
        ({"report": "/x"}, "snapshot.report"),
        ({"report": "../x"}, "snapshot.report"),
        ({"url": "x"}, "snapshot.url"),
        ({"zips_into": "x"}, "snapshot.zips_into"),
        ({"site": ["ocw.example.edu"]}, "snapshot.site.0"),
        ({"site": ["http://[x"]}, "snapshot.site.0"),
    ],
)
def test_each_fault_is_found(snapshot: dict[str, Any], where: str) -> None:
    assert faults(**snapshot) == [where]


def test_the_sample_of_the_manual_is_a_good_one() -> None:
    sample = tomllib.loads((ROOT / "docs/mirror.md").read_text().split("```toml")[1].split("```")[0])
    sample["targets"] |= {name: {"kind": "memory"} for name in ("production", "zips")}
    sample["sources"] = {"cms": {"kind": "directory", "path": "/srv/cms"}}
    assert list(crosscheck(Settings.model_validate(sample))) == []


def test_a_mirror_is_made_of_what_is_published() -> None:
    assert faults(source="cms") == ["source"]
