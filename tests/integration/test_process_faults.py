"""What a machine does to its processes: full disks, leaked descriptors, a clock that jumps."""

import ast
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import Settings
from daemon import Child
from engines.lease import Lease

ROOT = Path(__file__).resolve().parents[2]

LOGGING = """
import sys
import structlog
from config import LogSettings, configure_logging
configure_logging(LogSettings(), sys.stderr)
structlog.get_logger().info("file put")
print("the work went on")
"""


def test_a_log_on_a_full_disk_stops_nothing() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-P", "-c", LOGGING], stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert done.stdout == "the work went on\n"


def test_a_child_gets_nothing_of_its_parent_but_what_it_is_handed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import os\n"
        "fds = [f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd')]\n"
        f"open({str(told)!r}, 'w').write(' '.join(os.readlink(fd) for fd in fds if os.path.exists(fd) or os.path.islink(fd)))\n"
    )
    with socket.socket() as connection:
        # As a library might leave it; Python's own descriptors are closed in children anyway.
        connection.set_inheritable(True)
        child = Child.start([sys.executable, "-P", "-c", script], Settings(), dict(os.environ))
        deadline = time.monotonic() + 60
        while child.reap() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        mine = str(Path(f"/proc/self/fd/{connection.fileno()}").readlink())
    assert "pipe:" in told.read_text()
    assert mine not in told.read_text().split()


def test_nothing_is_forked_off_a_process_with_threads() -> None:
    """Engines are fresh interpreters: a fork would carry locks, sockets and half of the threads along."""
    forking = []
    for file in [*sorted(ROOT.glob("*/**/*.py")), ROOT / "scheduler.py"]:
        parts = file.relative_to(ROOT).parts
        if parts[0] in {"tests", "build"} or any(part.startswith(".") for part in parts):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [node.attr] if isinstance(node, ast.Attribute) else []
            forking += [str(file) for name in names if name.partition(".")[0] in {"multiprocessing", "fork", "forkpty"}]
    assert forking == []


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_jumps_neither_ends_a_lease_nor_prolongs_it(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    settings = Settings().queue
    lease = Lease(settings)
    lease.renewed(lease.clock())
    old = Lease(settings)
    old.renewed(old.clock() - settings.lease)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600 * hours)
    assert lease.trusted
    assert not old.trusted
