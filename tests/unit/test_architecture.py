"""The shape of the project: who imports whom, what is installed, how long a file may be."""

import ast
import configparser
import importlib
import importlib.metadata
import re
from functools import cache
from pathlib import Path

import pytest

from config import SOURCE_KINDS, TARGET_KINDS

ROOT = Path(__file__).resolve().parents[2]
BOTTOM = {"packageslip", "config"}
MAY_IMPORT: dict[str, set[str]] = {
    "cli": {
        "answers",
        "console",
        "scheduler",
        "daemon",
        "engines",
        "tasks",
        "notices",
        "archives",
        "database",
        "sources",
        "targets",
        "store",
        "packageslip",
        "config",
        "demo",
    },
    "answers": {"tasks", "targets", "database", *BOTTOM},
    "console": {"answers", "tasks", "database", *BOTTOM},
    "scheduler": {"daemon", "notices", "database", "config"},
    "daemon": {"config"},
    "engines": {"tasks", "notices", "archives", "database", "sources", "targets", "store", *BOTTOM},
    "tasks": {"notices", "archives", "database", "sources", "targets", "store", *BOTTOM},
    "notices": {"config"},
    "archives": {"store", *BOTTOM},
    "database": BOTTOM,
    "sources": {"targets", *BOTTOM},
    "targets": BOTTOM,
    "demo": {"config"},
    "store": set(),
    "packageslip": set(),
    "config": set(),
}


def documented() -> dict[str, set[str]]:
    """The table of ARCHITECTURE.md: each place, and what it may import."""
    rows = re.findall(r"^\| `(\w+)(?:/|\.py)` \|.*\| ([^|]+) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    places = [place for place, _ in rows]
    words = {"all": set(places), "nothing": set()}
    return {
        place: (set(places[number + 1 :]) if said == "the rows below" else words.get(said, set(said.split(", ")))) - {place}
        for number, (place, said) in enumerate(rows)
    }


def test_the_documented_table_is_the_one_that_is_kept() -> None:
    assert documented() == MAY_IMPORT


def sources_of(layer: str) -> list[Path]:
    return sorted([*ROOT.glob(f"{layer}.py"), *ROOT.glob(f"{layer}/**/*.py")])


@cache
def imports(source: Path) -> frozenset[str]:
    """Every module name that a file imports, in full."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return frozenset(found)


def every_source() -> list[Path]:
    return [source for layer in MAY_IMPORT for source in sources_of(layer)]


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_layers_only_import_downwards(layer: str) -> None:
    for source in sources_of(layer):
        ours = {name.split(".")[0] for name in imports(source)} & MAY_IMPORT.keys()
        upwards = ours - {layer} - MAY_IMPORT[layer]
        assert not upwards, f"{source.relative_to(ROOT)} imports {upwards}"


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_outsiders_import_a_packages_public_face_only(layer: str) -> None:
    for source in sources_of(layer):
        inside = {name for name in imports(source) if "." in name and name.split(".")[0] in MAY_IMPORT.keys() - {layer}}
        assert not inside, f"{source.relative_to(ROOT)} reaches into {inside}"


def test_no_package_imports_itself_in_a_circle() -> None:
    """Relative to the top: if A may import B, B may not import A."""
    for layer, below in MAY_IMPORT.items():
        for lower in below:
            assert layer not in MAY_IMPORT[lower]


def installed_names() -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    modules = setup["options"]["py_modules"].split()
    return {*modules, *setup["options"]["packages"].split()}


def test_setup_names_every_package_and_nothing_else() -> None:
    packages = {
        ".".join(folder.relative_to(ROOT).parts)
        for layer in MAY_IMPORT
        for folder in [ROOT / layer, *(ROOT / layer).glob("**/")]
        if (folder / "__init__.py").exists()
    }
    modules = {layer for layer in MAY_IMPORT if (ROOT / f"{layer}.py").exists()}
    assert installed_names() == packages | modules


def test_every_package_has_a_public_face() -> None:
    for layer in MAY_IMPORT:
        module = importlib.import_module(layer)
        assert module.__doc__, f"{layer} has no docstring"
        public = getattr(module, "__all__", None)
        assert public is not None or (ROOT / f"{layer}.py").exists(), f"{layer}/__init__.py has no __all__"
        missing = [name for name in public or () if not hasattr(module, name)]
        assert not missing, f"{layer}.__all__ names {missing}, which it does not have"


def test_no_dependency_claims_our_names() -> None:
    claimed = importlib.metadata.packages_distributions()
    for layer in MAY_IMPORT:
        others = set(claimed.get(layer, [])) - {"slipway"}
        assert not others, f"{layer} is also the name of a package of {others}"


def test_no_source_is_longer_than_400_lines() -> None:
    long = {str(source.relative_to(ROOT)): n for source in every_source() if (n := len(source.read_text().splitlines())) > 400}
    assert not long


def test_configured_kinds_are_the_kinds_that_exist() -> None:
    assert set(SOURCE_KINDS) == set(importlib.import_module("sources").KINDS)
    assert set(TARGET_KINDS) == set(importlib.import_module("targets").KINDS)
