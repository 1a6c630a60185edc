"""Row 8: empty tasks a second, one engine over MariaDB; beside Celery over Redis with one worker process.

Both find all tasks queued, and record how each of them ended. MariaDB is durable, a commit is on the disk; Redis has everything
in memory.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ours import ENVIRONMENT, folder_source, running
from benchmarks.place import Place
from benchmarks.results import Result
from config import load
from database import Database, Intake
from support.mariadb import _free_port

HERE = Path(__file__).parent
CELERY = HERE / ".celery" / "bin"


def row_8(place: Place, tasks: int = 3000) -> list[Result]:
    """Tasks a second; more is better."""
    ours: list[float] = []
    theirs: list[float] = []
    with _redis(place.folder) as port:
        for number in range(place.rounds):
            for mine in (True, False) if number % 2 == 0 else (False, True):
                if mine:
                    ours.append(_ours(place, tasks))
                else:
                    theirs.append(_celery(port, tasks))
    peer = "Celery, Redis, one worker process"
    return [Result.of(8, "empty tasks, claimed, started and finished", ours, peer, theirs, 1.5, unit="tasks/s", least=True)]


def _ours(place: Place, tasks: int) -> float:
    """From the first claim to the last end, by the database's clock."""
    root = place.folder / "origin"
    root.mkdir(exist_ok=True)
    targets = {ENVIRONMENT: {"kind": "local", "root": root}}
    with running(place, folder_source(root), targets, engines=0) as ours:
        ours.insert([f"/empty/{number}" for number in range(tasks)])
        database = Database.connect(ours.deployment.url)
        intake = Intake(database)
        while intake.accept(load(ours.deployment.config)) or intake.seal():
            pass
        database.close()
        script = str(HERE / "empty_engine.py")
        command = ["-P", script, ENVIRONMENT, "--config", str(ours.deployment.config), "--until-idle"]
        engine = ours.deployment.start(*command, PYTHONPATH=str(HERE.parent))
        assert engine.wait(300) == 0, ours.deployment.tail()
        ours.finish()
        [row] = ours.deployment.rows("SELECT MIN(claimed_at) AS first, MAX(ended_at) AS last FROM attempt")
        return tasks / float((row["last"] - row["first"]).total_seconds())


def _celery(port: int, tasks: int) -> float:
    """From the first result to the last, by the worker's clock."""
    known = {"BENCHMARK_REDIS": f"redis://127.0.0.1:{port}/0"}
    script = [str(CELERY / "python"), "-P", str(HERE / "celery_tasks.py"), str(tasks), str(CELERY / "celery")]
    done = subprocess.run(script, cwd=HERE, env=os.environ | known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@contextmanager
def _redis(folder: Path) -> Iterator[int]:
    """A server of our own; its port."""
    program = shutil.which("redis-server")
    assert program, "Redis is not installed: make bench does that"
    assert CELERY.exists(), "Celery is not installed: make bench does that"
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = subprocess.Popen([*command, "--daemonize", "no"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)
