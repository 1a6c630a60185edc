"""The audit log: what is written to it, and that nothing can be done to it unseen."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from database import (
    Audit,
    AuditRow,
    Database,
    DatabaseError,
    Entry,
    Head,
    HeldPlan,
    NewTask,
    Outcome,
    Published,
    State,
    pack,
    renew_queue_id,
)
from database.auditing import note, seal
from support.queue import Queue

DOCUMENT = b"<packageslip/>"


@pytest.fixture
def log(queue: Queue) -> Audit:
    """A log whose beginning, the schema that was made, is sealed."""
    log = Audit(queue.db)
    log.seal()
    return log


def kinds(log: Audit, **which: Any) -> list[str]:
    return [row.entry.kind for row in log.find(limit=1000, **which)]


def last(log: Audit, **which: Any) -> AuditRow:
    return log.find(limit=1, **which)[-1]


def filled(log: Audit, rows: int = 6) -> list[AuditRow]:
    for number in range(rows):
        log.note(Entry(kind="tried", who="eve", url=f"/{number}", document={"why": "ünder\ttest", "number": number}))
    while log.seal():
        pass
    return log.find(limit=1000)


def unguarded(queue: Queue) -> None:
    """As somebody works who has all rights."""
    if queue.db.dialect == "sqlite":
        queue.sql("DROP TRIGGER audit_rows_stay")
        queue.sql("DROP TRIGGER audit_rows_stay_as_they_are")


def test_a_person_is_named_with_what_was_asked_and_why(queue: Queue, log: Audit) -> None:
    task = queue.ready("/a", action="PUBLISH", requested_by="eve", note="urgent", parameters={"mode": "full"})
    row = last(log)
    assert (row.entry.kind, row.entry.who, row.entry.task, row.entry.url) == ("asked", "eve", task, "/a")
    assert (row.entry.environment, row.entry.document["why"], row.entry.document["action"]) == ("STAGING", "urgent", "PUBLISH")
    expected = "root@" if queue.db.dialect == "mysql" else None
    assert str(row.entry.document.get("account"))[:5] == str(expected)


def test_a_bad_row_is_there_too_with_its_reason(queue: Queue, log: Audit) -> None:
    task = queue.desk.insert(NewTask("/a", "NOWHERE", requested_by="eve"))
    queue.intake.accept(queue.settings)
    row = last(log, task=task)
    assert row.entry.kind == "rejected"
    assert "NOWHERE" in row.entry.document["reason"]


def test_a_row_as_long_as_its_columns_stops_nobody(queue: Queue, log: Audit) -> None:
    many = "\N{SHIP}" * 16_000
    queue.sql(
        "INSERT INTO publication_task_queue (url, environment, action, requested_by, note, parameters)"
        " VALUES (:url, 'STAGING', :action, :who, :many, :many)",
        url=many[:500],
        action=many[:32],
        who=many[:255],
        many=many,
    )
    good = queue.ready("/b")
    assert queue.states(good) == ["READY"]
    assert last(log, task=good).entry.kind == "asked"


def test_a_row_of_nothing_but_null_is_written_too(queue: Queue, log: Audit) -> None:
    queue.sql("INSERT INTO publication_task_queue (note) VALUES (NULL)")
    queue.intake.accept(queue.settings)
    assert last(log).entry.kind == "rejected"


def test_what_engines_make_is_nobodys_request(queue: Queue, log: Audit) -> None:
    queue.made(NewTask("/b", "STAGING"))
    assert kinds(log, url="/b") == []


def test_a_publication_says_which_bytes_by_which_claim(queue: Queue, log: Audit) -> None:
    task = queue.ready("/a", requested_by="eve")
    engine = queue.engine()
    [claimed] = queue.claim(engine)
    published = Published("staging", "/a", 7, b"\1" * 32, pack([DOCUMENT]))
    queue.end(engine, claimed, published=(published,), summary={"put": 3, "drop": 1, "plan": "not told"})
    row = last(log)
    assert (row.entry.kind, row.entry.who, row.entry.task, row.entry.fence) == ("published", "eve", task, claimed.fence)
    assert row.entry.target == "staging"
    document = row.entry.document
    assert (document["version"], document["serial"], document["counts"]) == ("01" * 32, 7, {"put": 3, "drop": 1})
    assert queue.record.current("staging", "/a") is not None
    assert len(document["slip"]) == 64


def test_what_goes_and_what_was_refused_is_written(queue: Queue, log: Audit) -> None:
    engine = queue.engine()
    queue.ready("/a", action="UNPUBLISH")
    [task] = queue.claim(engine)
    queue.end(engine, task, published=(Published("staging", "/a", 8),))
    assert kinds(log, url="/a") == ["asked", "unpublished"]
    queue.ready("/b")
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.FAILED, "the slip is not signed", error="SignatureRefused")
    row = last(log, url="/b")
    assert (row.entry.kind, row.entry.document["why"]) == ("refused", "the slip is not signed")


def test_an_approval_names_the_plan(queue: Queue, log: Audit) -> None:
    engine = queue.engine()
    queue.ready("/a")
    [task] = queue.claim(engine)
    queue.end(engine, task, Outcome.HELD, "it would drop 900 files", plan=HeldPlan("ab" * 32, "{}"))
    queue.desk.approve(task.id, "ab" * 32, by="mallory", note="I looked")
    queue.intake.accept(queue.settings)
    assert kinds(log, task=task.id) == ["asked", "held", "approved"]
    row = last(log, task=task.id)
    assert (row.entry.who, row.entry.document["plan"], row.entry.document["why"]) == ("mallory", "ab" * 32, "I looked")
    assert "900" in row.entry.document["held_for"]


def test_a_persons_hand_is_written(queue: Queue, log: Audit) -> None:
    task = queue.ready("/a")
    queue.desk.hold([task], "eve")
    queue.desk.release([task], "eve")
    queue.desk.cancel([task], "eve", "it is out of date")
    queue.intake.sweep()
    queue.desk.pause("STAGING", "eve", "the CMS moves")
    queue.desk.resume("STAGING", "eve")
    queue.intake.accept(queue.settings)
    whys = [row.entry.document.get("why") for row in log.find(limit=6) if row.entry.kind in ("cancel asked", "paused", "resumed")]
    assert whys == ["it is out of date", "the CMS moves", None]
    assert kinds(log, task=task) == ["asked", "held", "released", "cancel asked", "cancelled"]
    assert kinds(log)[-2:] == ["paused", "resumed"]
    assert {row.entry.who for row in log.find(limit=5) if row.entry.kind != "cancelled"} == {"eve"}


def test_what_could_not_be_done_is_not_written(queue: Queue, log: Audit) -> None:
    """Written with the thing itself: rolled back with it."""
    before = kinds(log)
    with pytest.raises(DatabaseError):
        queue.desk.hold([4711], "eve")
    assert kinds(log) == before


def test_what_changes_the_queue_itself_is_written(queue: Queue, log: Audit) -> None:
    assert kinds(log) == ["upgraded"]
    new = renew_queue_id(queue.db)
    assert last(log).entry.document == {"queue": new}
    queue.record.adopt("staging", [Published("staging", "/a", 3, b"\1" * 32, pack([DOCUMENT]))])
    assert (last(log).entry.kind, last(log).entry.url) == ("adopted", "/a")


def test_the_purge_keeps_the_log_and_is_in_it(queue: Queue, log: Audit) -> None:
    task = queue.ready("/a")
    queue.desk.cancel([task])
    queue.intake.sweep()
    queue.clock.forward(timedelta(days=91).total_seconds())
    assert queue.intake.purge(90) == 1
    assert kinds(log, task=task) == ["asked", "cancel asked", "cancelled"]
    assert last(log).entry.document["tasks"] == 1


def test_the_poll_says_that_there_is_something_to_seal(queue: Queue, log: Audit) -> None:
    assert not queue.intake.poll().unsealed
    queue.ready("/a")
    assert queue.intake.poll().unsealed
    assert log.verify().unsealed == 1
    assert queue.intake.seal() == 1
    assert not queue.intake.poll().unsealed
    assert log.verify().unsealed == 0


def test_many_rows_are_sealed_in_steps(queue: Queue, log: Audit) -> None:
    queue.db.change(lambda connection: note(connection, [Entry(kind="tried", url=f"/{n}") for n in range(700)]))
    assert [log.seal(), log.seal(), log.seal()] == [500, 200, 0]
    assert log.verify().rows == 701


def test_a_whole_log_is_good_and_has_a_head(queue: Queue, log: Audit) -> None:
    assert log.verify().broken is None
    early = log.verify().head
    filled(log)
    verdict = log.verify(early)
    assert (verdict.rows, verdict.broken) == (7, None)
    assert log.verify(verdict.head).broken is None
    assert log.verify(Head(0, bytes(32))).broken is None


COLUMNS = ["at", "kind", "who", "account", "task", "fence", "environment", "target", "url", "document", "hash", "id"]


@pytest.mark.parametrize("column", COLUMNS)
def test_any_changed_column_of_any_row_is_found(queue: Queue, log: Audit, column: str) -> None:
    rows = filled(log, 3)
    unguarded(queue)
    other = {"at": "2001-01-01 00:00:00.000000", "hash": b"\0" * 32, "task": 9, "fence": 9, "id": 10_000}.get(column, "x")
    victim = rows[1]
    queue.sql(f"UPDATE audit SET {column} = :value WHERE id = :id", value=other, id=victim.id)
    verdict = log.verify()
    assert verdict.broken is not None
    assert f"row {victim.seq}" in verdict.broken


def test_any_flipped_bit_of_a_document_is_found(queue: Queue, log: Audit) -> None:
    rows = filled(log, 2)
    unguarded(queue)
    import json

    text = json.dumps(dict(rows[1].entry.document))
    for place in range(len(text)):
        changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        queue.sql("UPDATE audit SET document = :text WHERE id = :id", text=changed, id=rows[1].id)
        assert (log.verify().broken or "").startswith(f"row {rows[1].seq} of the log")
    queue.sql("UPDATE audit SET document = :text WHERE id = :id", text=text, id=rows[1].id)
    assert log.verify().broken is None


@pytest.mark.parametrize("victim", range(1, 6))
def test_a_removed_row_is_found(queue: Queue, log: Audit, victim: int) -> None:
    filled(log, 5)
    unguarded(queue)
    queue.sql("DELETE FROM audit WHERE seq = :seq", seq=victim)
    assert log.verify().broken == f"row {victim} of the log is missing: {victim + 1} comes after {victim - 1}"


def test_a_removed_row_is_found_although_the_others_moved_up(queue: Queue, log: Audit) -> None:
    filled(log, 5)
    unguarded(queue)
    queue.sql("DELETE FROM audit WHERE seq = 3")
    for seq in (4, 5, 6):
        queue.sql("UPDATE audit SET seq = :to WHERE seq = :seq", seq=seq, to=seq - 1)
    queue.sql("UPDATE counter SET value = 5 WHERE name = 'audit'")
    assert (log.verify().broken or "").startswith("row 3 of the log")


def test_two_swapped_rows_are_found(queue: Queue, log: Audit) -> None:
    filled(log, 5)
    unguarded(queue)
    for seq, to in ((3, 99), (4, 3), (99, 4)):
        queue.sql("UPDATE audit SET seq = :to WHERE seq = :seq", seq=seq, to=to)
    assert (log.verify().broken or "").startswith("row 3 of the log")


def test_an_inserted_row_is_found(queue: Queue, log: Audit) -> None:
    filled(log, 5)
    unguarded(queue)
    for seq in (6, 5, 4):
        queue.sql("UPDATE audit SET seq = :to WHERE seq = :seq", seq=seq, to=seq + 1)
    queue.sql("INSERT INTO audit (kind, document, seq, hash) VALUES ('approved', '{}', 4, :hash)", hash=b"\1" * 32)
    assert (log.verify().broken or "").startswith("row 4 of the log")


def test_a_truncated_tail_is_found_by_the_count_and_by_the_anchor(queue: Queue, log: Audit) -> None:
    filled(log, 5)
    head = log.verify().head
    unguarded(queue)
    queue.sql("DELETE FROM audit WHERE seq > 4")
    assert "ends with row 4, but 6 rows were sealed" in (log.verify().broken or "")
    queue.sql("UPDATE counter SET value = 4 WHERE name = 'audit'")
    assert log.verify().broken is None
    assert "its end was cut off" in (log.verify(head).broken or "")


def test_a_log_that_was_written_anew_is_found_by_the_anchor_alone(queue: Queue, log: Audit) -> None:
    filled(log, 5)
    head = log.verify().head
    unguarded(queue)
    queue.sql("UPDATE audit SET who = 'somebody else', seq = NULL, hash = NULL WHERE seq > 3")
    queue.sql("UPDATE counter SET value = 3 WHERE name = 'audit'")
    log.seal()
    assert (log.verify().rows, log.verify().broken) == (6, None)
    assert "written anew" in (log.verify(head).broken or "")


def test_the_embedded_database_itself_refuses(sqlite_queue: Queue) -> None:
    log = Audit(sqlite_queue.db)
    filled(log, 2)
    for statement in ("UPDATE audit SET who = 'x' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2"):
        with pytest.raises(DatabaseError, match="audit log"):
            sqlite_queue.sql(statement)


def test_one_chain_comes_of_many_writers_and_sealers(queue: Queue, log: Audit) -> None:
    """Rows become visible in another order than their ids: nothing is left out, nothing sealed twice."""
    opened = [Database.connect(queue.url) for _ in range(4)]
    stop = threading.Event()

    def write(db: Database) -> None:
        for number in range(20):
            db.change(lambda connection: note(connection, [Entry(kind="tried", task=number)] * 3))  # noqa: B023

    def sealing(db: Database) -> None:
        while not stop.wait(0.005):
            db.change(seal)

    with ThreadPoolExecutor(4) as pool:
        sealers = [pool.submit(sealing, db) for db in opened[2:]]
        writers = [pool.submit(write, db) for db in opened[:2]]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        for sealer in sealers:
            sealer.result()
    while log.seal():
        pass
    verdict = log.verify()
    assert (verdict.rows, verdict.unsealed, verdict.broken) == (121, 0, None)
    for db in opened:
        db.close()


def test_a_row_of_a_transaction_that_ends_late_is_sealed_late(mariadb_queue: Queue) -> None:
    log = Audit(mariadb_queue.db)
    log.seal()
    other = Database.connect(mariadb_queue.url)
    entered, go = threading.Event(), threading.Event()

    def slow(connection: Any) -> None:
        note(connection, [Entry(kind="late")])
        entered.set()
        go.wait(10)

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(other.change, slow)
        assert entered.wait(10)
        log.note(Entry(kind="early"))
        assert log.seal() == 1
        go.set()
        late.result()
    assert log.seal() == 1
    ordered = sorted(log.find(), key=lambda row: row.seq or 0)
    assert [row.entry.kind for row in ordered] == ["upgraded", "early", "late"]
    assert ordered[1].id > ordered[2].id
    assert log.verify().broken is None
    other.close()


def test_found_by_module_task_and_time(queue: Queue, log: Audit) -> None:
    task = queue.ready("/a")
    queue.ready("/b")
    assert [row.entry.url for row in log.find(url="/a")] == ["/a"]
    assert [row.entry.task for row in log.find(task=task)] == [task]
    assert log.find(since=queue.clock() + timedelta(hours=1)) == []
    assert len(log.find(since=queue.clock() - timedelta(hours=1))) == 3
    assert queue.state(task) is State.READY
