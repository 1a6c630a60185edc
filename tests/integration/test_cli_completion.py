"""What a shell offers when TAB is pressed, asked by a real bash and by the protocols of zsh and fish."""

import os
import subprocess
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from cli import slipway
from support.small_site import SLIPWAY, SmallSite, make_small_site

PRESS_TAB = """
source <("{command}" completion bash)
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_slipway_completion "{command}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SmallSite:
    site = make_small_site(tmp_path_factory.mktemp("site"))
    assert site.run("publish", "/knots", "/about", "--to", "STAGING", "--now").exit_code == 0
    return site


def offered(site: SmallSite, *words: str) -> set[str]:
    """What bash shows for these words, of which the last is unfinished."""
    quoted = " ".join(f"'{word}'" for word in ("slipway", "-c", str(site.folder / "slipway.toml"), *words))
    script = PRESS_TAB.format(command=SLIPWAY, words=quoted)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def found(config: Path, *words: str) -> set[str]:
    """What click finds for them, in this process."""
    asked = ShellComplete(slipway, {}, "slipway", "_SLIPWAY_COMPLETE")
    return {item.value for item in asked.get_completions(["-c", str(config), *words[:-1]], words[-1])}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("queue", "ca"), {"cancel"}),
        (("publish", "/k"), {"/knots"}),
        (("publish", "/knots", "--to", ""), {"STAGING", "PRODUCTION"}),
    ],
)
def test_bash_offers_what_fits(site: SmallSite, words: tuple[str, ...], expected: set[str]) -> None:
    assert offered(site, *words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("pub",), {"publish"}),
        (("publish", "/"), {"/knots", "/about"}),
        (("publish", "/nothing"), set()),
        (("verify", "STA"), {"STAGING"}),
        (("target", "test", "sta"), {"staging"}),
        (("schedule", "run", ""), set()),
    ],
)
def test_names_and_urls_are_offered(site: SmallSite, words: tuple[str, ...], expected: set[str]) -> None:
    assert found(site.folder / "slipway.toml", *words) == expected


def test_a_faulty_configuration_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "slipway.toml").write_text("[nonsense]\n")
    assert found(tmp_path / "slipway.toml", "publish", "--to", "") == set()
    assert found(tmp_path / "slipway.toml", "publish", "/") == set()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_answered_in_their_own_way(site: SmallSite, shell: str) -> None:
    script = CliRunner().invoke(slipway, ["completion", shell]).stdout
    asking = f"{shell}_complete"
    assert f"_SLIPWAY_COMPLETE={asking}" in script
    words = f"slipway -c {site.folder / 'slipway.toml'} verify"
    environment = {**os.environ, "_SLIPWAY_COMPLETE": asking, "COMP_WORDS": f"{words} ", "COMP_CWORD": "4"}
    if shell == "fish":
        environment["COMP_CWORD"] = ""
    done = subprocess.run([SLIPWAY], env=environment, capture_output=True, text=True, check=False)
    assert "STAGING" in done.stdout
    assert done.stderr == ""
