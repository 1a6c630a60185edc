"""A task's life on every kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from config.settings import Settings
from database import Claims, Database, Desk, Intake, Lane, Leases, NewTask, Outcome, Published, Record, Result, State, upgrade

SETTINGS = Settings.model_validate(
    {
        "targets": {"staging": {"kind": "memory"}, "production": {"kind": "memory"}},
        "sources": {"cms": {"kind": "directory", "path": "/srv/cms"}},
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging"},
            "PRODUCTION": {"source": "target:staging", "origin": "production"},
        },
    }
)


@pytest.fixture(params=["sqlite", "mariadb"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path}/queue.db" if request.param == "sqlite" else request.getfixturevalue("mariadb_url")
    upgrade(url)
    database = Database.connect(url)
    yield database
    database.close()


def test_a_row_inserted_by_hand_is_published(db: Database) -> None:
    db.change(
        lambda connection: connection.execute(
            text("INSERT INTO publication_task_queue (url, environment) VALUES ('/courses/physics/8-01', 'STAGING')")
        )
    )
    intake, claims = Intake(db), Claims(db)
    assert intake.poll().intake
    assert intake.accept(SETTINGS) == 1
    poll = intake.poll()
    assert not poll.intake
    assert poll.due == {"STAGING"}
    engine = Leases(db).register("STAGING", "host", "boot", 1, 60, "0.1.0")
    [task] = claims.claim(engine, [Lane("staging", 8, ("source:cms",))])
    assert (task.url, task.state, task.attempts) == ("/courses/physics/8-01", State.RUNNING, 1)
    assert task.serial == task.fence > 0
    assert claims.claim(engine, [Lane("staging", 8)]) == []
    assert Leases(db).renew(engine, 60).cancelled == frozenset()
    assert claims.start(engine, [task]) == {task.id}
    result = Result(
        task.id,
        task.fence,
        Outcome.SUCCEEDED,
        "published",
        published=(Published("staging", task.url, task.serial, b"v" * 32, b"<x/>"),),
        new_tasks=(NewTask("/courses/physics", "STAGING", generation=1),),
    )
    assert claims.finish(engine, [result]) == frozenset()
    view = Desk(db).show(task.id)
    assert view.task.state is State.SUCCEEDED
    assert [event.state for event in view.events] == ["READY", "RUNNING", "SUCCEEDED"]
    assert view.attempts[0].outcome == "SUCCEEDED"
    assert [child.url for child in view.children] == ["/courses/physics"]
    live = Record(db).current("staging", task.url)
    assert live is not None
    assert live.version == b"v" * 32
    assert Record(db).below("staging", "/courses") == [task.url]
    assert Leases(db).rescue() == []
    Leases(db).leave(engine)
    assert [task.state for task in Desk(db).find()] == [State.NEW, State.SUCCEEDED]
