"""Switching over as docs/switching-over.md tells it: a parallel run, the comparison of two document roots, adoption, the switch."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.small_site import CONFIG, SmallSite

OLD_SLIP = "<packageslip><resource_list><resource>index.html</resource></resource_list></packageslip>"
MANUAL = Path(__file__).parents[2] / "docs" / "switching-over.md"


@pytest.fixture
def old_site(small_site: SmallSite) -> SmallSite:
    """The old engines' document root: what they copied from the CMS, an old page, and one that they never deleted."""
    small_site.write_slips()
    root = small_site.folder / "old"
    for module in ("knots", "about"):
        shutil.copytree(small_site.folder / "cms" / module, root / module)
        (root / module / "packageslip.xml").write_text(OLD_SLIP)
    (root / "knots/page7.html").write_text("<h1>knots 7, as it was</h1>")
    (root / "knots/removed-in-2009.html").write_text("<h1>gone</h1>")
    return small_site


def differences(one: Path, other: Path) -> list[str]:
    """What the manual's diff says of two document roots."""
    command = re.search(r"^diff .*$", MANUAL.read_text(), re.MULTILINE)
    assert command
    words = [*command[0].split()[:-2], str(one), str(other)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in {0, 1}, done.stderr
    return [line.replace(f"{one.parent}/", "") for line in done.stdout.splitlines()]


def test_an_old_site_is_taken_over_without_moving_what_is_the_same(old_site: SmallSite) -> None:
    folder = old_site.folder
    # The parallel run, into a root of its own.
    assert old_site.run("republish", "--to", "STAGING", "--now").exit_code == 0
    assert differences(folder / "old", folder / "staging") == [
        "Files old/knots/page7.html and staging/knots/page7.html differ",
        "Only in old/knots: removed-in-2009.html",
    ]
    # The switch: another root, and a look at what is there.
    parallel = shutil.copytree(folder / "staging", folder / "parallel")
    old_site.config.write_text(CONFIG.replace('root = "staging"', 'root = "old"'))
    before_the_switch = differences(folder / "old", parallel)
    before = {path: path.stat().st_ino for path in (folder / "old").rglob("*.html")}
    look = old_site.json("target", "adopt", "staging", "--dry-run")
    assert not look["modules"]
    assert "knots/removed-in-2009.html" in look["unclaimed"]
    # Without a word, a root with nothing of Slipway's in it counts as a wrong one.
    assert old_site.run("republish", "--to", "STAGING", "--now").exit_code != 0
    assert differences(folder / "old", parallel) == before_the_switch
    assert old_site.run("target", "adopt", "staging", "-y").exit_code == 0
    # What differs waits for a person; everything else is adopted as it lies.
    assert old_site.run("republish", "--to", "STAGING", "--now").exit_code == 3
    [held] = old_site.json("queue", "list", "--state", "HELD")["tasks"]
    assert held["url"] == "/knots"
    assert old_site.run("queue", "approve", str(held["id"]), "--adopt", "-y").exit_code == 0
    old_site.engine("STAGING")
    assert differences(folder / "old", parallel) == ["Only in old/knots: removed-in-2009.html"]
    changed = {path.name for path, inode in before.items() if path.stat().st_ino != inode}
    assert changed == {"page7.html"}
