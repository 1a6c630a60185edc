"""What the console serves beside its pages: scripts of others byte for byte, and nothing that a strict policy would stop."""

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

import console

ROOT = Path(console.__file__).parent
STATIC = ROOT / "static"
VENDORED = tomllib.loads((STATIC / "vendored.toml").read_text())
FILES = {name: file for thing in VENDORED.values() for name, file in thing["files"].items()}
TEMPLATES = sorted((ROOT / "templates").glob("**/*.html"))


@pytest.mark.parametrize("name", FILES)
def test_a_script_of_others_is_as_its_authors_made_it(name: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == FILES[name]["sha256"]


@pytest.mark.parametrize("thing", VENDORED)
def test_what_is_of_others_says_version_licence_and_home(thing: str) -> None:
    said = VENDORED[thing]
    assert re.fullmatch(r"\d+\.\d+\.\d+", said["version"])
    assert said["home"].startswith("https://")
    assert "Permission" in (STATIC / said["licence_file"]).read_text()
    assert all(said["version"] in file["source"] for file in said["files"].values())


def test_every_file_is_ours_or_listed() -> None:
    licences = {thing["licence_file"] for thing in VENDORED.values()}
    ours = {"console.css", "console.js", "trends.js", "favicon.svg", "vendored.toml"}
    assert {entry.name for entry in STATIC.iterdir()} == FILES.keys() | licences | ours


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_what_the_policy_forbids(template: Path) -> None:
    """Scripts and styles in files only; nothing from elsewhere."""
    text = template.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=|\shx-on|javascript:", text)
    assert not re.search(r"(src|href|action)=\"(https?:)?//", text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_that_changes_brings_the_token(template: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL):
        assert "csrf" in form or "/theme" in form or "/signin" in form, form
