"""Row 10: what a daemon costs while nothing is to do."""

import time
from contextlib import closing

from benchmarks.cpu import used_by
from benchmarks.ours import folder_source, running
from benchmarks.place import Place
from benchmarks.results import Result

ENVIRONMENTS = ("STAGING", "PRODUCTION", "MIRROR", "DSPACE")


def row_10(place: Place, seconds: float = 60) -> list[Result]:
    """Share of a core, and statements a second, of a daemon for four environments with one schedule."""
    root = place.folder / "idle"
    root.mkdir()
    targets = {name: {"kind": "local", "root": root / name} for name in ENVIRONMENTS}
    for name in ENVIRONMENTS:
        (root / name).mkdir()
    nightly = {"nightly": {"cron": "0 3 * * *", "environment": "STAGING", "action": "VERIFY", "parameters": {"all": True}}}
    with running(place, folder_source(root), targets, engines=1, schedules=nightly) as ours:
        pid = ours.deployment.processes[0].pid
        # Its start is not what is measured.
        time.sleep(min(seconds, 10))
        began, used, asked = time.monotonic(), used_by([pid]), _statements(place)
        time.sleep(seconds)
        lasted = time.monotonic() - began
        percent = 100 * (used_by([pid]) - used) / lasted
        # One of them is the question itself.
        statements = (_statements(place) - asked - 1) / lasted
    figures = f"over {lasted:.0f} s"
    return [
        Result.of(10, "idle daemon, share of a core", [percent], "0.5 %", [0.5], 1.0, unit="%", figures=figures),
        Result.of(10, "idle daemon, statements", [statements], "5 a second", [5.0], 1.0, unit="1/s", figures=figures),
    ]


def _statements(place: Place) -> int:
    with closing(place.database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        [(_, number)] = cursor.fetchall()
        return int(number)
