"""What a run ran on: cores, and the versions of everybody."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers import version


def about() -> str:
    """One sentence for the page."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    everybody = [f"{name} {version(program)}" for name, program in PROGRAMS.items()]
    return (
        f"Last run on {datetime.now(UTC):%d %b %Y}: {os.cpu_count()} cores ({_processor()}), {pages / 2**30:.0f} GiB, "
        f"Linux {platform.release()}, {_python()}, {_ssh()}, {', '.join(everybody)}, Celery {_celery()}."
    )


PROGRAMS = {
    "rsync": "rsync",
    "rclone": "rclone",
    "lftp": "lftp",
    "curl": "curl",
    "MariaDB": "mariadbd",
    "Redis": "redis-server",
}
"""How the page calls them, and what they are."""


def _python() -> str:
    # A build of one's own is often one without what distributions spend hours on: it takes up to a fifth more.
    whose = "the distribution's" if sys.base_prefix == "/usr" else "its own build"
    return f"Python {platform.python_version()} ({whose})"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _ssh() -> str:
    said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False).stderr
    return said.partition(",")[0].replace("_", " ")


def _celery() -> str:
    lock = Path(__file__).with_name("celery.lock").read_text()
    return lock.partition("celery==")[2].split()[0]
