"""The two accounts of deploy/mysql-accounts.sql: what operators can do, and that they can do no more."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import Connection
from structlog.testing import capture_logs

from console.api import CALLS, ROOT
from database import (
    Account,
    Claims,
    Database,
    DatabaseError,
    Desk,
    Due,
    HeldPlan,
    Intake,
    Lane,
    Leases,
    Listing,
    NewTask,
    Outcome,
    Record,
    Result,
    State,
    rights,
)
from support.console import seat_at, settings_with
from support.mariadb import Server
from support.queue import Queue

GRANTS = Path(__file__).parents[2] / "deploy" / "mysql-accounts.sql"
PASSWORDS = {"slipway": "engine's secret", "slipway_operator": "operator's"}


@pytest.fixture
def accounts(mariadb_queue: Queue, mariadb_server: Server) -> Iterator[str]:
    """The name of a database that has both accounts."""
    name = mariadb_queue.url.rsplit("/", 1)[1]
    script = "\n".join(line for line in GRANTS.read_text().splitlines() if not line.startswith("--"))
    script = (
        script.replace("DATABASE", name)
        .replace("ENGINE_PASSWORD", "engine''s secret")
        .replace("OPERATOR_PASSWORD", "operator''s")
    )
    mariadb_server.execute(*(statement for statement in script.split(";") if statement.strip()))
    yield name
    mariadb_server.execute("DROP USER slipway", "DROP USER slipway_operator")


@pytest.fixture
def operator(accounts: str, mariadb_server: Server) -> Iterator[Database]:
    database = Database.connect(mariadb_server.url(accounts, "slipway_operator"), PASSWORDS["slipway_operator"])
    yield database
    database.close()


@pytest.fixture
def engine(accounts: str, mariadb_server: Server) -> Iterator[Database]:
    database = Database.connect(mariadb_server.url(accounts, "slipway"), PASSWORDS["slipway"])
    yield database
    database.close()


def test_the_desk_works_with_the_operators_rights(mariadb_queue: Queue, operator: Database, engine: Database) -> None:
    desk = Desk(operator)
    operator.check_schema()
    assert operator.queue_id == mariadb_queue.db.queue_id
    id_, other = desk.insert_many(
        [NewTask("/a", "STAGING", "PUBLISH", 5, hold=True, parameters={"mode": "full"}), NewTask("/b", "STAGING")]
    )
    desk.release([id_])
    desk.hold([other])
    desk.cancel([other])
    Intake(engine).accept(mariadb_queue.settings)
    Intake(engine).sweep()
    registered = Leases(engine).register("STAGING", "host", "boot", 1, 60, "0.1.0")
    [task] = Claims(engine).claim(registered, [Lane("staging", 8)])
    Claims(engine).start(registered, [task])
    Claims(engine).finish(registered, [Result(task.id, task.fence, Outcome.HELD, "drops", plan=HeldPlan("ab", "{}"))])
    desk.approve(id_, "ab", by="eve")
    Intake(engine).accept(mariadb_queue.settings)
    assert desk.show(id_).task.state is State.READY
    assert desk.show(other).task.state is State.CANCELLED
    assert desk.show(desk.retry(other)).task.state is State.NEW
    assert Listing(operator).count(State.READY) == 1
    assert desk.breakers()
    assert Record(operator).history("/a") == []


def test_the_procedure_of_old_works_with_the_operators_rights(
    mariadb_queue: Queue, accounts: str, operator: Database, mariadb_server: Server
) -> None:
    connection = mariadb_server.connect(accounts, "slipway_operator", PASSWORDS["slipway_operator"])
    with connection.cursor() as cursor:
        for code in (1, 3, 7, None):
            cursor.execute("CALL schedule_implicit_module('/courses/8-01', %s, 'SYSTEM', '')", (code,))
    connection.close()
    with capture_logs() as logs:
        mariadb_queue.intake.accept(mariadb_queue.settings)
    tasks = Desk(operator).find()
    assert [(task.environment, task.state) for task in reversed(tasks)] == [
        ("STAGING", "READY"),
        ("PRODUCTION", "READY"),
        ("code 7", "REJECTED"),
        ("code NULL", "REJECTED"),
    ]
    assert {(task.requested_by, task.note) for task in tasks} == {("SYSTEM", None)}
    assert tasks[1].reason == "the procedure schedule_implicit_module knows no code 7: 1 is STAGING, 3 is PRODUCTION."
    named = [(event["code"], event["environment"]) for event in logs if event["event"].startswith("procedure code stands for")]
    assert named == [(1, "STAGING"), (3, "PRODUCTION"), (7, "code 7"), (None, "code NULL")]


MANUAL = Path(__file__).parents[2] / "docs" / "switching-over.md"


def of_the_manual(start: str, name: str) -> str:
    """A statement that the manual shows, for the database of this test."""
    text = MANUAL.read_text()
    return text[text.index(start) :].split(";")[0].replace("slipway.", f"{name}.")


def test_the_procedure_that_the_manual_puts_into_the_old_database_passes_calls_on(
    mariadb_queue: Queue, accounts: str, mariadb_server: Server
) -> None:
    mariadb_server.execute(
        "CREATE OR REPLACE DATABASE old_engines",
        "USE old_engines",
        of_the_manual("CREATE PROCEDURE schedule_implicit_module", accounts),
        "GRANT EXECUTE ON old_engines.* TO 'slipway_operator'@'%'",
    )
    connection = mariadb_server.connect("old_engines", "slipway_operator", PASSWORDS["slipway_operator"])
    with connection.cursor() as cursor:
        cursor.execute("CALL schedule_implicit_module('/courses/8-01', 3, 'SYSTEM', 'from an old script')")
    connection.close()
    mariadb_server.execute("DROP DATABASE old_engines")
    mariadb_queue.intake.accept(mariadb_queue.settings)
    [task] = Desk(mariadb_queue.db).find()
    assert (task.environment, task.state, task.note) == ("PRODUCTION", State.READY, "from an old script")


def test_all_held_tasks_can_be_approved_as_the_manual_shows(
    mariadb_queue: Queue, accounts: str, engine: Database, mariadb_server: Server
) -> None:
    task = mariadb_queue.ready()
    registered = Leases(engine).register("STAGING", "host", "boot", 1, 60, "0.1.0")
    [claimed] = Claims(engine).claim(registered, [Lane("staging", 8)])
    Claims(engine).start(registered, [claimed])
    Claims(engine).finish(registered, [Result(claimed.id, claimed.fence, Outcome.HELD, "strangers", plan=HeldPlan("ab", "{}"))])
    connection = mariadb_server.connect(accounts, "slipway_operator", PASSWORDS["slipway_operator"])
    with connection.cursor() as cursor:
        assert cursor.execute(of_the_manual("INSERT INTO publication_task_queue", accounts)) == 1
    connection.close()
    mariadb_queue.intake.accept(mariadb_queue.settings)
    approved = Desk(mariadb_queue.db).show(claimed.id).task
    assert task
    assert (approved.state, approved.approved_plan, approved.adopt) == (State.READY, "ab", True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE publication_task_queue SET status='NEW'",
        "UPDATE publication_task_queue SET fence=fence+1",
        "UPDATE publication_task_queue SET url='/b'",
        "UPDATE publication_task_queue SET action='UNPUBLISH'",
        "UPDATE publication_task_queue SET approved_plan='ab', adopt=1",
        "INSERT INTO publication_task_queue (url, environment, status) VALUES ('/a', 'STAGING', 'READY')",
        "INSERT INTO publication_task_queue (url, environment, target) VALUES ('/a', 'STAGING', 'production')",
        "INSERT INTO publication_task_queue (id, url, environment) VALUES (1, '/a', 'STAGING')",
        "DELETE FROM publication_task_queue",
        "TRUNCATE publication_task_queue",
        "DROP TABLE publication_task_queue",
        "ALTER TABLE publication_task_queue ADD x INT",
        "UPDATE counter SET value=0",
        "UPDATE target SET is_open=0",
        "UPDATE environment SET paused=1",
        "DELETE FROM event",
        "INSERT INTO publication (target, url, serial, since) VALUES ('staging', '/a', 1, UTC_TIMESTAMP())",
        "UPDATE setting SET value='0'",
        "UPDATE deposit SET state='CONFIRMED', handle='1/2'",
        "DELETE FROM deposit",
        "DELETE FROM audit",
        "UPDATE audit SET who='somebody else'",
        "INSERT INTO audit (kind, document, account) VALUES ('approved', '{}', 'root@localhost')",
        "INSERT INTO audit (kind, document, at) VALUES ('approved', '{}', '2001-01-01')",
        "INSERT INTO audit (kind, document, seq, hash) VALUES ('approved', '{}', 1, '')",
        "DROP PROCEDURE schedule_implicit_module",
        "CREATE TABLE mine (a INT)",
    ],
)
def test_operators_can_do_nothing_else(accounts: str, mariadb_server: Server, statement: str) -> None:
    connection = mariadb_server.connect(accounts, "slipway_operator", PASSWORDS["slipway_operator"])
    with connection.cursor() as cursor, pytest.raises(pymysql.err.MySQLError, match="denied"):
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "change", ["hold=1", "cancel_requested=1", "priority=5", "run_after=UTC_TIMESTAMP() + INTERVAL 1 HOUR", "hold=0, priority=1"]
)
def test_operators_can_change_what_is_theirs(mariadb_queue: Queue, accounts: str, mariadb_server: Server, change: str) -> None:
    mariadb_queue.ready()
    connection = mariadb_server.connect(accounts, "slipway_operator", PASSWORDS["slipway_operator"])
    with connection.cursor() as cursor:
        assert cursor.execute(f"UPDATE publication_task_queue SET {change} WHERE url='/a'") == int(change != "hold=0, priority=0")
    connection.close()


def test_operators_pause_an_environment_and_let_it_go_on(mariadb_queue: Queue, operator: Database, engine: Database) -> None:
    desk = Desk(operator)
    for ask, paused in ((desk.pause, {"STAGING"}), (desk.resume, set[str]())):
        inserted = ask("STAGING")
        Intake(engine).accept(mariadb_queue.settings)
        assert mariadb_queue.state(inserted) is State.SUCCEEDED
        assert desk.pauses().keys() == paused


def test_what_is_refused_is_said_so(operator: Database, mariadb_queue: Queue) -> None:
    with pytest.raises(DatabaseError, match=r"refused a statement: .*denied"):
        Intake(operator).fire("nightly", mariadb_queue.clock(), NewTask("/a", "STAGING"))


def test_the_engines_account_changes_no_tables(accounts: str, mariadb_server: Server) -> None:
    connection = mariadb_server.connect(accounts, "slipway", PASSWORDS["slipway"])
    with connection.cursor() as cursor:
        for statement in ("DROP TABLE event", "CREATE TABLE mine (a INT)", "GRANT SELECT ON *.* TO slipway_operator"):
            with pytest.raises(pymysql.err.MySQLError, match="denied"):
                cursor.execute(statement)
    connection.close()


def write(statement: str, connection: Connection) -> None:
    connection.exec_driver_sql(statement)


def test_an_operator_takes_a_module_down_lifts_that_and_goes_back(
    mariadb_queue: Queue, operator: Database, engine: Database
) -> None:
    desk, intake = Desk(operator), Intake(engine)
    waiting = desk.insert(NewTask("/a", "STAGING"))
    intake.accept(mariadb_queue.settings)
    root = desk.insert(NewTask("/a", "*", "TAKEDOWN", note="a complaint", requested_by="eve"))
    intake.accept(mariadb_queue.settings)
    assert desk.show(waiting).task.state is State.CANCELLED
    registered = Leases(engine).register("PRODUCTION", "host", "boot", 1, 60, "0.1.0")
    assert Claims(engine).waiting("PRODUCTION") == Due(True, frozenset({"production"}))
    assert Claims(engine).claim(registered, [Lane("production", 8, urgent=True)])
    intake.settle_takedowns()
    assert [one.by for one in Record(operator).takedowns()] == ["eve"]
    for statement in (
        "INSERT INTO takedown (url, task, since) VALUES ('/b', 1, UTC_TIMESTAMP())",
        "UPDATE takedown SET lifted_at = UTC_TIMESTAMP()",
        "DELETE FROM takedown",
        "UPDATE publication_task_queue SET status = 'READY'",
        "UPDATE publication_task_queue SET approved_plan = 'ab'",
        "INSERT INTO publication_task_queue (url, environment, approved_plan) VALUES ('/a', 'STAGING', 'ab')",
        "INSERT INTO publication_task_queue (url, environment, parent) VALUES ('/a', 'STAGING', 1)",
    ):
        with pytest.raises(DatabaseError, match="denied"):
            operator.change(partial(write, statement))
    lift = desk.insert(NewTask("/a", "*", "TAKEDOWN", parameters={"lift": True}))
    back = desk.insert(NewTask("/a", "STAGING", "ROLLBACK", parameters={"version": "ab"}))
    intake.accept(mariadb_queue.settings)
    assert [desk.show(task).task.state for task in (lift, root, back)] == [State.SUCCEEDED, State.CANCELLED, State.REJECTED]
    assert Record(operator).takedowns() == []


def test_the_api_works_with_the_operators_rights(mariadb_queue: Queue, operator: Database, tmp_path: Path) -> None:
    """The console as a service of its own has no other account."""
    seat = seat_at(operator, settings_with(tmp_path))
    ended, waiting = mariadb_queue.ready("/a"), mariadb_queue.ready("/b")
    engine = mariadb_queue.engine()
    [task] = mariadb_queue.claim(engine, limit=1)
    assert task.id == ended
    mariadb_queue.end(engine, task)
    query = {"/why": "?url=/a", "/module": "?url=/a", "/history": "?url=/a"}
    for call in CALLS:
        if call.method == "GET" and call.path != "/diff":
            seat.get(ROOT + call.path.replace("{id:int}", str(ended)) + query.get(call.path, ""))
    assert 'slipway_queue_tasks{environment="STAGING",kind="due"} 1' in seat.get("/metrics").text
    headers = seat.headers | {"X-CSRF-Token": seat.csrf}
    bodies: dict[str, dict[str, object]] = {
        "/tasks": {"url": "/c", "environment": "STAGING"},
        "/tasks/batch": {"do": "hold", "ids": [waiting]},
        "/rollback": {"url": "/a", "environment": "STAGING"},
        "/takedowns": {"url": "/z", "note": "a letter"},
        "/takedowns/lift": {"url": "/z"},
    }
    for call in CALLS:
        if call.method == "POST" and not call.path.startswith("/schedules") and not call.path.endswith("/approve"):
            number = ended if call.path.endswith("/retry") else waiting
            path = call.path.replace("{id:int}", str(number)).replace(
                "{name}", "staging" if "targets" in call.path else "STAGING"
            )
            found = seat.client.post(ROOT + path, headers=headers, json=bodies.get(call.path, {}) if call.body else None)
            assert found.status_code == call.status, f"{call.path}: {found.text}"
    seat.client.close()


def test_the_doctor_knows_each_account_by_what_it_may(
    operator: Database, engine: Database, mariadb_queue: Queue, sqlite_queue: Queue
) -> None:
    for database, account in ((operator, Account.OPERATOR), (engine, Account.ENGINE)):
        found = rights(database)
        assert found is not None
        assert (found.account, found.excess, found.missing) == (account, (), ())
    owner = rights(mariadb_queue.db)
    assert owner is not None
    assert "ALL PRIVILEGES on *.*" in owner.excess
    assert rights(sqlite_queue.db) is None
