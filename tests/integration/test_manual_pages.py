"""The manual pages, set by groff: whatever it would warn of is a fault."""

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import slipway
from cli.exits import MEANINGS, Exit
from cli.main import VERBS
from config import reference

PAGES = ("man1/slipway.1", "man5/slipway.toml.5", "man8/slipway.8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    done = CliRunner().invoke(slipway, ["man", str(folder)])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(folder / page) for page in PAGES]
    return folder


def shown(page: Path) -> str:
    """The page as a terminal of 100 columns shows it, without bold and underline."""
    words = ["groff", "-man", "-Tutf8", "-ww", "-Wbreak", "-rLL=100n", "-P-cbou", str(page)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_groff_sets_each_page_without_a_warning(pages: Path, page: str) -> None:
    text = shown(pages / page)
    assert text.startswith("SLIPWAY")
    assert "NAME\n       slipway" in text


def test_every_verb_has_its_options(pages: Path) -> None:
    text = shown(pages / PAGES[0])
    for verb in VERBS:
        assert re.search(rf"^   slipway {verb}\b", text, re.MULTILINE), verb
    assert "--dry-run" in text
    assert "slipway queue approve [OPTIONS] ID" in text
    assert "--bind ADDRESS:PORT" in text


def test_every_exit_code_has_its_meaning(pages: Path) -> None:
    text = shown(pages / PAGES[0])
    assert set(MEANINGS) == set(Exit)
    for code in Exit:
        assert re.search(rf"^       {int(code)} +\S", text, re.MULTILINE), code
        assert f"| {int(code)} | {MEANINGS[code]} |" in Path("docs/command.md").read_text()


def test_every_key_is_there(pages: Path) -> None:
    source = (pages / PAGES[1]).read_text().replace("\\", "")
    for key in reference():
        assert f".B {key.key.rpartition('.')[2]}\n" in source, key.key
