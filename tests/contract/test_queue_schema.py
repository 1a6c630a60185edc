"""Making the tables, printing how, and refusing to work with others."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from database import (
    Database,
    DatabaseError,
    DatabaseUnavailable,
    Desk,
    NewTask,
    SchemaMismatch,
    renew_queue_id,
    schema,
    schema_status,
    upgrade,
    upgrade_sql,
)
from support.mariadb import Server
from support.queue import Queue


@pytest.fixture(params=["sqlite", "mariadb"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/queue.db"
    return str(request.getfixturevalue("mariadb_url"))


def test_an_empty_database_is_upgraded_once(empty_url: str) -> None:
    assert schema_status(empty_url).found is None
    assert not schema_status(empty_url).current
    assert upgrade(empty_url).found is None
    assert upgrade(empty_url).found == schema.REVISION
    assert schema_status(empty_url).current


@pytest.mark.parametrize("step", range(1, int(schema.REVISION)))
def test_an_older_schema_is_upgraded_and_keeps_its_rows(empty_url: str, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    newest, older, upgrade_to = schema.REVISION, f"{step:04}", command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda config, _head, **more: upgrade_to(config, older, **more))
    assert upgrade(empty_url).found is None
    assert schema_status(empty_url).found == older
    monkeypatch.undo()
    old = Database.connect(empty_url)
    with pytest.raises(SchemaMismatch, match=f"schema is {older}, .* Run 'slipway db upgrade'"):
        old.check_schema()
    queue_id, task = old.queue_id, Desk(old).insert(NewTask("/a", "STAGING"))
    old.close()
    assert (upgrade(empty_url).found, schema_status(empty_url).found) == (older, newest)
    new = Database.connect(empty_url)
    new.check_schema()
    assert new.queue_id == queue_id
    assert Desk(new).show(task).task.url == "/a"
    found = new.look(inspect_columns)
    assert found.keys() - {"alembic_version"} == schema.metadata.tables.keys()
    new.close()


def test_two_upgrades_at_once_make_one_schema(empty_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = [future.result().found for future in [pool.submit(upgrade, empty_url) for _ in range(3)]]
    assert sorted(found, key=str) == [schema.REVISION, schema.REVISION, None]


def test_what_is_no_queue_is_refused_with_the_remedy(empty_url: str) -> None:
    database = Database.connect(empty_url)
    for use in (database.check_schema, lambda: database.queue_id, Desk(database).breakers):
        with pytest.raises(SchemaMismatch, match="Run 'slipway db upgrade'"):
            use()
    database.close()


def test_a_schema_of_another_version_is_refused_with_the_remedy(queue: Queue) -> None:
    queue.db.check_schema()
    for revision, remedy in (("9999", "Install a newer Slipway"), ("0000", "Run 'slipway db upgrade'")):
        queue.sql("UPDATE alembic_version SET version_num = :revision", revision=revision)
        with pytest.raises(SchemaMismatch, match=f"schema is {revision}, .* {remedy}"):
            queue.db.check_schema()
    queue.sql("DELETE FROM alembic_version")
    with pytest.raises(SchemaMismatch, match="schema is missing"):
        queue.db.check_schema()


def test_the_code_works_with_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == schema.REVISION


def test_queries_know_the_tables_as_the_migrations_make_them(queue: Queue) -> None:
    found = queue.db.look(inspect_columns)
    computed = {"dependent_batch"}
    for table in schema.metadata.sorted_tables:
        assert set(table.columns.keys()) == found[table.name] - computed, table.name
    assert found.keys() - {"alembic_version"} == schema.metadata.tables.keys()


def inspect_columns(connection: object) -> dict[str, set[str]]:
    inspector = inspect(connection)
    assert inspector is not None
    return {table: {column["name"] for column in inspector.get_columns(table)} for table in inspector.get_table_names()}


def test_every_queue_has_an_id_of_its_own(queue: Queue, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    upgrade(other)
    database = Database.connect(other)
    ids = {queue.db.queue_id, database.queue_id}
    database.close()
    assert len(ids) == 2
    assert all(len(id_) == 32 and set(id_) <= set("0123456789abcdef") for id_ in ids)


def test_the_id_is_read_once(queue: Queue) -> None:
    old = queue.db.queue_id
    queue.sql("DELETE FROM setting")
    assert queue.db.queue_id == old


def test_a_restored_queue_gets_a_new_id(queue: Queue) -> None:
    old = queue.db.queue_id
    new = renew_queue_id(queue.db)
    assert new != old
    database = Database.connect(queue.url)
    assert database.queue_id == new
    database.close()


def test_a_queue_without_an_id_is_not_used(queue: Queue) -> None:
    queue.sql("DELETE FROM setting")
    with pytest.raises(SchemaMismatch, match="The queue has no id"):
        assert queue.db.queue_id


def test_the_printed_sql_makes_the_same_tables_on_sqlite(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "queue.db") as connection:
        connection.executescript(upgrade_sql("sqlite"))
    connection.close()
    assert schema_status(f"sqlite:///{tmp_path}/queue.db").current


def test_the_printed_sql_makes_the_same_tables_on_mariadb(mariadb_server: Server, mariadb_url: str) -> None:
    # No statement holds a semicolon within itself, so that any client can run them.
    statements = [statement for statement in upgrade_sql("mysql").split(";\n") if statement.strip()]
    mariadb_server.execute(*statements, database=mariadb_url.rsplit("/", 1)[1])
    assert schema_status(mariadb_url).current
    database = Database.connect(mariadb_url)
    assert len(database.queue_id) == 32
    database.close()


@pytest.mark.parametrize("since", ["0001", "0005"])
def test_the_printed_sql_since_a_revision_is_the_rest(since: str) -> None:
    whole, rest = upgrade_sql("sqlite"), upgrade_sql("sqlite", since)
    beginning, rest = whole[: whole.index(f"-- Running upgrade {since} ->")], rest[rest.index("-- Running") :]
    assert "CREATE TABLE publication_task_queue" in beginning
    assert beginning + rest == whole
    assert upgrade_sql("sqlite", schema.REVISION) == ""


@pytest.mark.parametrize("since", ["0000", "9999", "head", "6", ""])
def test_there_is_no_sql_since_what_never_was(since: str) -> None:
    with pytest.raises(DatabaseError, match="There is no revision"):
        upgrade_sql("sqlite", since)


def test_there_is_no_sql_for_other_databases() -> None:
    with pytest.raises(DatabaseError, match="not for 'oracle'"):
        upgrade_sql("oracle")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://db/ocw", "'postgresql' is not supported; use mysql\\+pymysql://"),
        ("what is this", "queue.url cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_the_remedy(url: str, said: str) -> None:
    for verb in (Database.connect, upgrade):
        with pytest.raises(DatabaseError, match=said):
            verb(url)


def test_urls_of_mysql_and_mariadb_use_the_same_driver() -> None:
    for url in ("mysql://slipway@db/ocw", "mariadb://slipway@db/ocw", "mysql+pymysql://slipway@db/ocw"):
        database = Database.connect(url, "secret")
        assert database.dialect == "mysql"
        assert "secret" not in repr(database._change.url)


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"this is no database at all, but it is long enough" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        Database.connect(f"sqlite:///{tmp_path}/queue.db").check_schema()
    with pytest.raises(DatabaseError, match="not a database"):
        upgrade(f"sqlite:///{tmp_path}/queue.db")


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatabaseUnavailable, match="unable to open database file"):
        Database.connect(f"sqlite:///{tmp_path}/folder").check_schema()
