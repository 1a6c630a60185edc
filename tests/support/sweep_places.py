"""Worlds of the sweeps that are more than a folder: one whose origin is a bucket, one whose queue is MariaDB."""

import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Connection, Table, text

from config import Secrets, Settings
from database import schema
from engines.workshop import Seams
from support.mariadb import Server
from support.s3_memory import MemoryClient, MemoryService
from support.straight_engine import Tooling
from support.sweep_world import MTIME, Scenario, World, settings_of
from targets import Target, open_target

BUCKET: Mapping[str, Any] = {"kind": "s3", "bucket": "b", "parallel": 1}
BESIDE = " (an object)"
"""After the name of an object where there are also objects below it."""


class BucketWorld(World):
    """Its origin is a bucket in memory; after each run its objects lie as files where other worlds have the origin's."""

    def __init__(self, folder: Path, scenario: Scenario, place: Mapping[str, Any]) -> None:
        self.service = MemoryService()
        self._kept = dict(self.service.objects)
        super().__init__(folder, scenario, place, delivers=False)

    def _settings(self, place: Mapping[str, Any]) -> Settings:
        table = settings_of(self.live, {}, self._types).model_dump(mode="json")
        table["targets"]["origin"] = dict(place)
        return Settings.model_validate(table)

    def keep(self) -> None:
        self._kept = dict(self.service.objects)
        super().keep()

    def reset(self) -> None:
        self.service.objects.clear()
        self.service.objects.update(self._kept)
        super().reset()

    def run(self, tooling: Tooling | None = None) -> None:
        try:
            super().run(tooling or Tooling(Seams(self._opened)))
        finally:
            self._show()

    def opened(self, name: str, settings: Settings, secrets: Secrets, client: Any) -> Target:
        """A target, which reaches the bucket by this client if it is one."""
        target = open_target(name, settings, secrets=secrets)
        if settings.targets[name].kind == "s3":
            target._connected = target._over(client)  # type: ignore[attr-defined]
        return target

    def _opened(self, name: str, settings: Settings, secrets: Secrets) -> Target:
        return self.opened(name, settings, secrets, MemoryClient(self.service))

    def _show(self) -> None:
        root = self.live / "targets" / "origin"
        shutil.rmtree(root)
        above = {str(parent) for key in self.service.objects for parent in PurePosixPath(key).parents}
        for key, kept in self.service.objects.items():
            # In a bucket an object may lie where others have a folder.
            path = root / (f"{key}{BESIDE}" if key in above else key)
            if key.endswith("/"):
                # The mark of a folder.
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(kept.body)
            os.utime(path, (MTIME, MTIME))
        root.mkdir(exist_ok=True)


class MariaWorld(World):
    """Its queue is a database of this server, put back row by row."""

    def __init__(self, folder: Path, scenario: Scenario, place: Mapping[str, Any], server: Server) -> None:
        self._url = server.url(server.new_database())
        self._rows_kept: dict[str, list[dict[str, Any]]] = {}
        super().__init__(folder, scenario, place)

    def _settings(self, place: Mapping[str, Any]) -> Settings:
        table = settings_of(self.live, place, self._types).model_dump(mode="json")
        table["queue"]["url"] = self._url
        return Settings.model_validate(table)

    def keep(self) -> None:
        with closing(self.database) as database:
            for table in schema.metadata.sorted_tables:
                self._rows_kept[table.name] = database.look(partial(_rows_of, table))
        super().keep()

    def reset(self) -> None:
        super().reset()

        def put_back(connection: Connection) -> None:
            connection.execute(text("SET foreign_key_checks = 0"))
            for table in schema.metadata.sorted_tables:
                connection.execute(table.delete())
                if rows := self._rows_kept[table.name]:
                    connection.execute(table.insert(), rows)
            connection.execute(text("SET foreign_key_checks = 1"))

        with closing(self.database) as database:
            database.change(put_back)


def _rows_of(table: Table, connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(table.select()).mappings()]
