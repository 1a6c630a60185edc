"""An engine that publishes nothing: it reports what the daemon does to it, and behaves as a file tells it to.

Run as `python -P -m engines` from a folder that comes first on PYTHONPATH. The folder $STAND_IN has `mode`, and gets `log`.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from config import load, queue_url, this_host

parser = argparse.ArgumentParser()
parser.add_argument("environment")
parser.add_argument("--config", type=Path, required=True)
parser.add_argument("--bell", type=int, required=True)
arguments = parser.parse_args()
folder = Path(os.environ["STAND_IN"])
mode = (folder / "mode").read_text().strip()


def tell(*words: object) -> None:
    with (folder / "log").open("a") as out:
        print(f"{time.monotonic():.3f}", os.getpid(), *words, file=out)


def stop(_number: int, _frame: object) -> None:
    tell("asked-to-stop")
    if mode != "deaf":
        time.sleep(0.5)
        tell("finished")
        sys.exit(0)


settings = load(arguments.config)
tell("started", arguments.environment, settings.engine.workers, os.environ.get("NOTIFY_SOCKET", "-"), os.getsid(0) == os.getpid())
if mode == "crash":
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
if mode == "claim":
    # Imported here: most of an engine's start, and most only tell.
    from database import Claims, Database, Lane, Leases

    database = Database.connect(queue_url(settings))
    engine = Leases(database).register(arguments.environment, *this_host(), os.getpid(), 600, "0")
    claims = Claims(database, settings.retry)
    tasks = claims.claim(engine, [Lane("staging", 1)])
    claims.start(engine, tasks)
    tell("claimed", *[task.id for task in tasks])
while os.read(arguments.bell, 100):
    tell("rung")
tell("alone")
time.sleep(60)
