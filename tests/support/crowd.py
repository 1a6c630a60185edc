"""A queue of very many rows, made by a few statements inside MariaDB: what the console's pages have to be quick with.

Three in ten tasks wait, the others ended within the last thirty days; each module of a site of 3,180 was published six times on two
targets; the audit log is as long as the queue.
"""

import hashlib
import json
import zlib
from typing import Any

from packageslip import Packageslip, Resource, on_target, write_slip
from support.mariadb import Server

MODULES = 3180
REPUBLISH = 5000
"""The id of a task that made one for each module."""
FILES, LARGE = 300, 20_000
"""Files of a module, and of the largest one."""
WHOLE = 100_000
"""Rows of the queue from which on everything else is as large as it can be."""
HELD = 1999
"""The id of a task with a plan of very many files."""

_STATE = (
    "CASE WHEN seq <= 40 THEN 'RUNNING' WHEN seq = 5000 THEN 'SUCCEEDED' WHEN seq % 1000 = 999 THEN 'HELD' WHEN seq % 1000 = 998 "
    "THEN 'NEW' WHEN seq % 100 < 30 THEN 'READY' WHEN seq % 100 < 36 THEN 'FAILED' WHEN seq % 100 < 37 THEN 'CANCELLED' "
    "WHEN seq % 100 < 40 THEN 'SUPERSEDED' ELSE 'SUCCEEDED' END"
)
_PLACE = "CASE WHEN seq % 10 < 6 THEN '{}' WHEN seq % 10 < 9 THEN '{}' ELSE '{}' END"
_URL = f"CONCAT('/courses/department-', seq % 37, '/course-', seq % {MODULES})"
_MADE = "UTC_TIMESTAMP(6) - INTERVAL ROUND(({rows} - seq) * 2592000 / {rows}) SECOND"
_OVER = "status IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'SUPERSEDED')"
_SUMMARY = json.dumps(
    {
        "put": 3, "keep": 297, "drop": 0, "leave": 0, "stale": 0, "bytes": 120_000,
        "reasons": {"same": [297, 9_000_000], "changed": [3, 120_000]},
        "changes": [[f"lecture-notes/l{number}.pdf", "put", "changed", 40_000] for number in range(3)],
        "seconds": {"load": 0.21, "take over": 0.03, "plan": 0.02, "stage": 0.4, "switch": 0.05},
    }
)  # fmt: skip
_MEASURES = (
    *("outcome:SUCCEEDED", "outcome:FAILED", "outcome:RETRY", "action:PUBLISH", "action:DELIVER", "action:VERIFY", "age"),
    *(f"error:{name}" for name in ("NoSpace", "SourceUnreachable", "BadSlip", "LoginRefused", "Drifted", "VersionGone")),
    *(f"phase:{name}" for name in ("load", "take over", "resolve", "plan", "transfer", "stage", "switch", "verify", "list")),
    *("moved", "saved"),
)


def crowd(server: Server, database: str, rows: int) -> None:
    """Fill an empty upgraded database. `rows`: of the queue, and of the audit log."""
    connection = server.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION unique_checks = 0, foreign_key_checks = 0, time_zone = '+00:00'")
        for statement in (*_tasks(rows), *_around(rows), *_log(rows), *_trends(rows)):
            cursor.execute(statement)
        _record(cursor, LARGE if rows >= WHOLE else LARGE // 50)
        cursor.execute("ANALYZE TABLE publication_task_queue, attempt, event, publication, audit, trend")
    connection.close()


def _tasks(rows: int) -> tuple[str, ...]:
    environment = _PLACE.format("STAGING", "PRODUCTION", "ARCHIVE")
    target = _PLACE.format("staging", "production", "archive")
    made = _MADE.format(rows=rows)
    return (
        (
            "INSERT INTO publication_task_queue (id, url, environment, action, status, target, absorbs, created_at, run_after, "
            "requested_by, parent, batch, fence, serial, attempts, reason) "
            f"SELECT seq, {_URL}, {environment}, IF(seq = {REPUBLISH}, 'REPUBLISH', 'PUBLISH'), {_STATE}, {target}, 1, {made}, {made}, "
            f"'cms', IF(seq > {REPUBLISH} AND seq <= {REPUBLISH + MODULES}, {REPUBLISH}, NULL), NULL, seq, seq, 1, "
            f"CONCAT('a sentence about what became of task ', seq) FROM seq_1_to_{rows}"
        ),
        (
            "UPDATE publication_task_queue SET finished_at = created_at + INTERVAL 60 SECOND, started_at = created_at + INTERVAL 30 "
            f"SECOND WHERE {_OVER}"
        ),
        (
            "INSERT INTO attempt (task, fence, number, engine, host, claimed_at, started_at, ended_at, outcome, error, reason, summary) "
            "SELECT id, id, 1, 'e', 'engine.example.edu', created_at + INTERVAL 20 SECOND, started_at, finished_at, "
            "IF(status = 'FAILED', 'FAILED', IF(status = 'HELD', 'HELD', IF(status = 'RUNNING', NULL, 'SUCCEEDED'))), "
            f"IF(status = 'FAILED', 'NoSpace', NULL), reason, '{_SUMMARY}' FROM publication_task_queue "
            "WHERE status IN ('SUCCEEDED', 'FAILED', 'HELD', 'RUNNING')"
        ),
        "INSERT INTO event (task, at, state, reason, fence) SELECT id, created_at, 'READY', NULL, NULL FROM publication_task_queue",
        f"INSERT INTO event (task, at, state, reason, fence) SELECT id, finished_at, status, reason, id FROM publication_task_queue WHERE {_OVER}",
    )


def _around(rows: int) -> tuple[str, ...]:
    return (
        "INSERT INTO environment (name, paused) VALUES ('STAGING', 0), ('PRODUCTION', 0), ('ARCHIVE', 0)",
        "INSERT INTO target (name, is_open) VALUES ('staging', 0), ('production', 0), ('archive', 0), ('source:cms', 0)",
        (
            "INSERT INTO engine (start, environment, host, boot, pid, version, state, registered_at, lease_until, ended_at) "
            "SELECT IF(seq = 1, 'e', MD5(seq)), IF(seq % 2, 'STAGING', 'PRODUCTION'), 'engine.example.edu', 'b', seq, '0.1.0', "
            "IF(seq <= 20, 'UP', 'GONE'), UTC_TIMESTAMP(6) - INTERVAL seq MINUTE, UTC_TIMESTAMP(6) + INTERVAL 1 DAY, "
            "IF(seq <= 20, NULL, UTC_TIMESTAMP(6)) FROM seq_1_to_5000"
        ),
        "UPDATE publication_task_queue SET engine = 'e' WHERE status = 'RUNNING'",
        (
            "INSERT INTO progress (task, step, files_done, files_total, bytes_done, bytes_total, at, seconds) "
            "SELECT id, 'stage', 30, 300, 1000000, 9000000, UTC_TIMESTAMP(6), 12.5 FROM publication_task_queue WHERE status = 'RUNNING'"
        ),
        (
            "INSERT INTO schedule_run (schedule, fire_at, task) "
            f"SELECT 'nightly', UTC_TIMESTAMP(6) - INTERVAL seq HOUR, 1 + seq % {rows} FROM seq_1_to_2000"
        ),
        (
            "INSERT INTO verified (target, url, task, at, drifted, reason) "
            f"SELECT 'staging', {_URL}, seq, UTC_TIMESTAMP(6), seq % 40 = 0, 'a.htm is missing' FROM seq_1_to_{MODULES}"
        ),
        f"UPDATE counter SET value = {rows} WHERE name IN ('fence', 'audit')",
    )


def _log(rows: int) -> tuple[str, ...]:
    made = _MADE.format(rows=rows)
    return (
        (
            "INSERT INTO audit (at, kind, who, account, task, environment, target, url, document, seq, hash) "
            f"SELECT {made}, IF(seq % 2, 'asked', 'published'), 'cms', 'slipway@%', seq, 'STAGING', 'staging', {_URL}, "
            f'\'{{"serial": 1, "why": "because"}}\', seq, UNHEX(SHA2(seq, 256)) FROM seq_1_to_{rows}'
        ),
    )


def _trends(rows: int) -> tuple[str, ...]:
    """A year, in hours as far as they are kept, in days and in weeks."""
    measures = " UNION ALL ".join(f"SELECT '{name}' AS measure" for name in _MEASURES)
    places = (
        "(SELECT 'STAGING' AS environment UNION ALL SELECT 'PRODUCTION' UNION ALL SELECT 'ARCHIVE' UNION ALL SELECT '*') AS e"
    )
    hours, days = (840, 366) if rows >= WHOLE else (30, 40)
    made = {"hour": (hours, "%Y-%m-%d %H:00:00"), "day": (days, "%Y-%m-%d 00:00:00"), "week": (53, "%Y-%m-%d 00:00:00")}
    now, monday = "UTC_TIMESTAMP()", "(UTC_TIMESTAMP() - INTERVAL WEEKDAY(UTC_TIMESTAMP()) DAY)"
    return tuple(
        "INSERT INTO trend (span, at, environment, measure, n, total, most) "
        f"SELECT '{span}', DATE_FORMAT({monday if span == 'week' else now} - INTERVAL seq {span}, '{form}'), environment, measure, 10 + seq % 7, seq, seq "
        f"FROM seq_0_to_{count - 1}, {places}, ({measures}) AS m"
        for span, (count, form) in made.items()
    )


def _record(cursor: Any, files: int) -> None:
    """Publications; of all modules the slips are the same two, of one they are large."""
    usual = [_document(cursor, FILES, number) for number in range(2)]
    large = [_document(cursor, files, number) for number in range(2)]
    cursor.execute(
        "INSERT INTO publication (target, url, version, serial, task, document, since, until, module_type, title) "
        f"SELECT IF(seq %% 2, 'staging', 'production'), CONCAT('/courses/department-', m %% 37, '/course-', m), UNHEX(SHA2(seq, 256)), "
        f"seq, m, IF(seq %% 4 < 2, %s, %s), UTC_TIMESTAMP(6) - INTERVAL (6 - seq DIV 2) DAY, "
        "IF(seq DIV 2 = 5, NULL, UTC_TIMESTAMP(6) - INTERVAL (5 - seq DIV 2) DAY), 'course', CONCAT('Course ', m) "
        f"FROM seq_0_to_11, (SELECT seq AS m FROM seq_0_to_{MODULES - 1}) AS modules",
        usual,
    )
    for number, (target, document) in enumerate((("staging", large[0]), ("production", large[1]))):
        cursor.execute(
            "INSERT INTO publication (target, url, version, serial, task, document, since, title) "
            "VALUES (%s, '/large', %s, %s, 1, %s, UTC_TIMESTAMP(6), 'Large')",
            (target, bytes([number]) * 32, number + 1, document),
        )
    changes = [
        {
            "path": f"f/{n}.htm",
            "change": "put",
            "reason": "new",
            "sentence": f"f/{n}.htm is not on the target yet",
            "size": n,
            "digest": None,
        }
        for n in range(2000)
    ]
    plan = {
        "url": "/a", "target": "staging", "digest": "ab" * 32, "counts": {"put": 2000}, "reasons": {"new": [9000, 9_000_000]},
        "objections": [{"rule": "half", "sentence": "it drops more than half", "paths": []}], "changes": changes, "not_listed": 7000,
    }  # fmt: skip
    cursor.execute(
        "INSERT INTO plan (task, digest, document, at) SELECT id, %s, %s, UTC_TIMESTAMP(6) FROM publication_task_queue "
        "WHERE id IN (%s, %s)",
        ("ab" * 32, json.dumps(plan), HELD, HELD + 1000),
    )


def _document(cursor: Any, files: int, number: int) -> bytes:
    """A slip, kept as publications keep them; every twentieth file is another one in each. Its digest."""
    resources = tuple(
        Resource(
            f"notes/lecture-{n}.pdf", digest=hashlib.sha256(f"{n} {number if n % 20 == 0 else 0}".encode()).digest(), size=n * 7
        )
        for n in range(files)
    )
    slip = on_target(Packageslip("/courses/any", resources, title="A course"), serial=number + 1, queue="0" * 32)
    document = write_slip(slip)
    digest = hashlib.sha256(document).digest()
    cursor.execute("INSERT INTO document (digest, part, body) VALUES (%s, 0, %s)", (digest, zlib.compress(document, 3)))
    return digest
