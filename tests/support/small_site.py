"""A small installation without a server: a folder as CMS, folders as targets, an SQLite queue; and the command on it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import slipway

SLIPWAY = Path(sys.executable).with_name("slipway")

CONFIG = """
state_dir = "state"
[engine]
linger = 1
[retry]
base = 0.2
breaker = 0.5
[sources.cms]
kind = "directory"
path = "cms"
build_slips = true
[targets.staging]
kind = "local"
root = "staging"
[targets.production]
kind = "local"
root = "production"
[targets.download]
kind = "local"
root = "download"
[environments.STAGING]
source = "cms"
origin = "staging"
[[environments.STAGING.holding_areas]]
target = "download"
modules = { urls = ["/knots"] }
[environments.PRODUCTION]
source = "target:staging"
origin = "production"
"""


@dataclass(frozen=True)
class SmallSite:
    """Two modules, /knots with 30 pages and /about with one, and nothing published yet."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "slipway.toml"

    def run(self, *words: str, stdin: str = "") -> Result:
        """The command, in this process."""
        return CliRunner().invoke(slipway, ["-c", str(self.config), *words], input=stdin)

    def json(self, *words: str) -> Any:
        """The document of a verb with --json."""
        return json.loads(self.run(*words, "--json").stdout)

    def write_slips(self) -> None:
        """Slips as a CMS writes them, with digests."""
        for module in ("knots", "about"):
            folder = self.folder / "cms" / module
            self.run("slip", "build", str(folder), "--url", f"/{module}", "--type", module, "-o", str(folder / "packageslip.xml"))

    def engine(self, environment: str) -> None:
        """A real engine, until nothing is left to do."""
        command = [sys.executable, "-P", "-m", "engines", environment, "--config", str(self.config), "--until-idle"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def started(self, *words: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        command = [str(SLIPWAY), "-c", str(self.config), *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """`slipway run` while the block lasts."""
        with (self.folder / "daemon.log").open("ab") as log:
            process = subprocess.Popen([str(SLIPWAY), "-c", str(self.config), "run"], stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def make_small_site(folder: Path) -> SmallSite:
    (folder / "slipway.toml").write_text(CONFIG)
    for target in ("staging", "production", "download"):
        (folder / target).mkdir()
    for module, pages in (("knots", 30), ("about", 1)):
        (folder / "cms" / module).mkdir(parents=True)
        for number in range(pages):
            name = f"page{number}.html" if number else "index.html"
            (folder / "cms" / module / name).write_text(f"<h1>{module} {number}</h1>")
    return SmallSite(folder)


@pytest.fixture
def small_site(tmp_path: Path) -> SmallSite:
    return make_small_site(tmp_path)
