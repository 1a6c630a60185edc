"""A browser without a window, kept away from the network and from everybody's settings."""

import shutil
import subprocess
from pathlib import Path

from support.mariadb import missing

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Nothing outside of the stick may be asked, and nothing there may help.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def program() -> str:
    """The browser. The one that has no window at all, where it is there: a page in it takes a third of the time."""
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        missing("no chromium here: apt-get install chromium-headless-shell")
    return found


def browse(page: Path, profile: Path, *flags: str) -> str:
    """What the browser prints about a page that it opens by file://. `profile`: an empty folder for its own files."""
    command = [program(), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
