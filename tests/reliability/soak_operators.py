"""What people do during a soak, by plain SQL as operators do: insert rows, approve, hold, release, cancel."""

import json
import random
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from reliability.soak_faults import Agenda
from reliability.soak_places import ENVIRONMENTS, Places
from support.deployment import eventually

LATER = "later task"
"""What the reason of a task says that is older than what is live."""


class Operators:
    """Everybody who has an account. What the database did not answer for counts as not said."""

    def __init__(self, places: Places, agenda: Agenda, chance: random.Random) -> None:
        self._places, self._agenda, self._chance = places, agenda, chance
        # One connection for all: a new one loads the system's certificates each time.
        self._database = sa.create_engine(places.deployment.url, pool_size=1, max_overflow=0, pool_pre_ping=True)
        self.accepted: set[int] = set()
        self.deferred: set[int] = set()

    def close(self) -> None:
        self._database.dispose()

    def begin(self) -> None:
        """Every module, for the first time."""
        self._places.site.write_catalogue()
        for module in self._places.site.modules:
            self._places.site.change(module)
            self.insert(module, "STAGING")

    def act(self) -> None:
        """One thing at random."""
        site = self._places.site
        module = self._chance.choice(site.modules)
        draw = self._chance.random()
        if draw < 0.05 and (versioned := self._versioned()):
            # Not in the ordered layout, where for a moment an older asset is beside a page that is still the newer one.
            self.insert(*self._chance.choice(versioned), action="ROLLBACK")
        elif draw < 0.50:
            site.change(module, shrunk=module in site.fickle and self._chance.random() < 0.1)
            self.insert(module, "STAGING")
        elif draw < 0.80:
            self.insert(module, "PRODUCTION")
        elif draw < 0.88:
            self.insert(self._chance.choice(site.fickle), self._chance.choice(list(ENVIRONMENTS)), action="UNPUBLISH")
        elif draw < 0.90:
            self.insert("/", self._chance.choice(list(ENVIRONMENTS)), action="REPUBLISH")
        elif draw < 0.96:
            self._decide_held()
        else:
            self._hold_or_cancel()

    def _versioned(self) -> list[tuple[str, str]]:
        """Modules that are versioned, with the environment."""
        return [
            (url, environment) for environment, target in ENVIRONMENTS.items() for url in sorted(self._places.versioned(target))
        ]

    def insert(self, url: str, environment: str, **columns: object) -> None:
        """One row."""
        values = {"url": url, "environment": environment} | columns
        statement = f"INSERT INTO publication_task_queue ({', '.join(values)}) VALUES (:{', :'.join(values)})"
        try:
            with self._database.begin() as connection:
                task = int(connection.execute(sa.text(statement), values).lastrowid)
        except sa.exc.DBAPIError:
            # Nobody was told that the row is in; it may be.
            return
        self.accepted.add(task)

    def rows(self, statement: str) -> list[Mapping[str, Any]]:
        """What a query gives; nothing while the database is away."""
        try:
            with self._database.connect() as connection:
                return [dict(row) for row in connection.execute(sa.text(statement)).mappings()]
        except sa.exc.DBAPIError:
            return []

    def _decide_held(self) -> None:
        """A person looks at what is held: approves what the guard asked about, cancels what is older than what is live."""
        for task in self.rows(
            "SELECT q.id, q.url, q.environment, q.reason, p.digest FROM publication_task_queue q JOIN plan p ON p.task = q.id"
            " WHERE q.status = 'HELD' AND q.cancel_requested = 0"
        ):
            if LATER in str(task["reason"]):
                self.change("cancel_requested = 1", task["id"])
            else:
                parameters = json.dumps({"task": task["id"], "plan": task["digest"]})
                self.insert(task["url"], task["environment"], action="APPROVE", parameters=parameters)

    def _hold_or_cancel(self) -> None:
        """Of what was inserted last."""
        task = self._chance.choice(sorted(self.accepted)[-5:])
        if self._chance.random() < 0.5:
            self.change("cancel_requested = 1", task)
        else:
            self.change("hold = 1", task)
            self._agenda.later(self._chance.uniform(1, 5), lambda: self.change("hold = 0", task))

    def change(self, what: str, task: int) -> None:
        """Set one of the columns that operators may set."""
        self.deferred.add(task)
        try:
            with self._database.begin() as connection:
                connection.execute(sa.text(f"UPDATE publication_task_queue SET {what} WHERE id = :id"), {"id": task})
        except sa.exc.DBAPIError:
            self._agenda.later(1, lambda: self.change(what, task))

    def rest(self, seconds: float = 240) -> None:
        """Until nothing is open but what waits for a person."""
        waiting = "SELECT COUNT(*) AS n FROM publication_task_queue WHERE status IN ('NEW', 'READY', 'RUNNING')"

        def quiet() -> bool:
            self._agenda.run()
            return self.rows(waiting) == [{"n": 0}]

        try:
            eventually(quiet, seconds, "an idle queue")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._places.deployment.tail()}") from error

    def end(self) -> None:
        """Once nothing goes wrong any more: what is held is cancelled, and every module is published everywhere."""
        for task in self.rows("SELECT id FROM publication_task_queue WHERE hold = 1"):
            self.change("hold = 0", task["id"])
        self.rest()
        for task in self.rows("SELECT id FROM publication_task_queue WHERE status = 'HELD'"):
            self.change("cancel_requested = 1", task["id"])
        for environment in ENVIRONMENTS:
            for module in self._places.site.modules:
                if environment == "STAGING":
                    self._places.site.change(module)
                self.insert(module, environment)
            self.rest()
            # Where the version before the last one listed little, the guard asks about the last one too.
            self._decide_held()
            self.rest()
