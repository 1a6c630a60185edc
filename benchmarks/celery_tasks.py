"""Empty tasks for Celery, in a virtual environment of its own: `python -P celery_tasks.py N CELERY`.

Queues so many tasks, starts a worker, and says how many a second there were.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from celery import Celery  # type: ignore[import-not-found]

URL = os.environ["BENCHMARK_REDIS"]

app = Celery("benchmark", broker=URL, backend=URL)
# As many in advance as an engine of ours claims at once; with the default of 4 it is slower.
app.conf.worker_prefetch_multiplier = 64


@app.task  # type: ignore[untyped-decorator]
def nothing() -> None:
    """What an empty task does."""


def rate(ids: Sequence[str]) -> float:
    """Tasks a second, from the first result to the last, by the worker's clock."""
    keys = [f"celery-task-meta-{task}" for task in ids]
    client = app.backend.client
    deadline = time.monotonic() + 300
    while client.exists(*keys) < len(keys):
        assert time.monotonic() < deadline, "Celery's tasks do not end"
        time.sleep(0.1)
    ended = sorted(datetime.fromisoformat(json.loads(result)["date_done"]) for result in client.mget(keys))
    return float((len(keys) - 1) / (ended[-1] - ended[0]).total_seconds())


def main() -> None:
    ids = [nothing.delay().id for _ in range(int(sys.argv[1]))]
    quiet = ["--without-gossip", "--without-mingle"]
    worker = [sys.argv[2], "-A", "celery_tasks", "worker", "--concurrency=1", *quiet]
    with subprocess.Popen(worker, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            print(rate(ids))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
