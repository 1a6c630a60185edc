"""The documents say what the program does."""

import json
import re
from pathlib import Path

import pytest

from cli.exits import Exit
from cli.main import VERBS
from config import load, reference
from database import Action, State

ROOT = Path(__file__).resolve().parents[2]


def reference_table() -> str:
    """Every key as docs/configuration.md lists it."""
    rows = ["| key | kind | type | default | meaning |", "|---|---|---|---|---|"]
    for one in reference():
        default = "required" if one.required else "" if one.default is None else f"`{json.dumps(one.default)}`"
        kind = one.kind or ""
        rows.append(f"| `{one.key}` | {kind} | {one.type.replace('|', 'or')} | {default} | {one.doc} |")
    return "\n".join(rows)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_manual_lists_every_key_with_its_default() -> None:
    manual = set(text("docs/configuration.md").splitlines())
    missing = [row for row in reference_table().splitlines() if row not in manual]
    assert not missing


def test_the_manual_lists_no_key_that_does_not_exist() -> None:
    known = set(reference_table().splitlines())
    assert not [row for row in text("docs/configuration.md").splitlines() if row.startswith("| `") and row not in known]


def test_the_sample_configuration_of_the_manual_is_a_good_one(tmp_path: Path) -> None:
    sample = text("docs/configuration.md").split("```toml")[1].split("```")[0]
    (tmp_path / "config.toml").write_text(sample)
    settings = load(tmp_path / "config.toml", {})
    assert set(settings.environments) == {"STAGING", "PRODUCTION"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_manual_describes_every_verb(verb: str) -> None:
    assert re.search(rf"^\| `{verb}\b", text("docs/command.md"), re.MULTILINE)


@pytest.mark.parametrize("code", Exit)
def test_the_manual_describes_every_exit_code(code: Exit) -> None:
    assert re.search(rf"^\| {int(code)} \|", text("docs/command.md"), re.MULTILINE)


@pytest.mark.parametrize("word", [*State, *Action])
def test_the_manual_describes_every_state_and_action(word: str) -> None:
    assert word in text("docs/queue.md")


@pytest.mark.parametrize(
    "document", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text(document))
    assert not [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]


def test_architecture_lists_every_layer() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    listed = text("ARCHITECTURE.md")
    assert not [package for package in packages if f"`{package}/`" not in listed]


def test_the_schedules_that_the_walk_through_a_courses_life_runs_are_in_the_sample() -> None:
    named = set(re.findall(r"^slipway schedule run (\S+)", text("docs/life-of-a-course.md"), re.MULTILINE))
    assert named <= set(re.findall(r"^\[schedules\.([\w-]+)\]", text("deploy/ocw.toml"), re.MULTILINE))
    assert named
