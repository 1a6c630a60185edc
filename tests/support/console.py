"""The console over a queue of the tests, asked without a network; every role can be had by a header, as from a proxy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from config import Secrets, Settings
from console import Console, application, open_console
from database import Database
from support.queue import SETTINGS, Queue

PROXY = {"addresses": ["127.0.0.1"], "user_header": "X-Remote-User", "role_header": "X-Remote-Role"}


@dataclass(frozen=True)
class Seat:
    """Somebody at the console."""

    client: TestClient
    console: Console
    name: str = "ann"
    role: str = "approver"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Remote-User": self.name, "X-Remote-Role": self.role}

    @property
    def csrf(self) -> str:
        return self.console.access.sealer.token(f"proxy:{self.name}")

    def as_(self, role: str, name: str = "ann") -> "Seat":
        return replace(self, role=role, name=name)

    def get(self, path: str, status: int = 200, **more: Any) -> Response:
        found = self.client.get(path, headers=self.headers | more.pop("headers", {}), **more)
        assert found.status_code == status, f"{path}: {found.status_code}\n{words(found.text)}"
        return found

    def text(self, path: str) -> str:
        """The words of a page, as a person reads them."""
        return words(self.get(path).text)

    def post(self, path: str, status: int = 303, **fields: Any) -> Response:
        """A form of a page, sent as a browser does."""
        sent = {"csrf": self.csrf} | fields
        found = self.client.post(path, data=sent, headers=self.headers | {"Sec-Fetch-Site": "same-origin"})
        assert found.status_code == status, f"{path}: {found.status_code}\n{words(found.text)}"
        return found

    def done(self, path: str, **fields: Any) -> str:
        """A change, and what the page that comes next says about it."""
        return words(self.get(self.post(path, **fields).headers["location"]).text)


def words(html: str) -> str:
    """A page's text: no tags, one blank between words."""
    body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body))).strip()


def settings_with(tmp_path: Path, **console: Any) -> Settings:
    return Settings.model_validate({**SETTINGS, "state_dir": tmp_path, "console": {"proxy": PROXY, **console}})


def seat_at(database: Database, settings: Settings) -> Seat:
    console = open_console(settings, Secrets({}), database)
    client = TestClient(
        application(console),
        base_url="http://localhost:8780",
        client=("127.0.0.1", 50000),
        follow_redirects=False,
        raise_server_exceptions=True,
    )
    return Seat(client, console)


@pytest.fixture
def seat(queue: Queue, tmp_path: Path) -> Iterator[Seat]:
    """An approver at the console over a queue on each kind of database."""
    found = seat_at(queue.db, settings_with(tmp_path))
    queue.settings = found.console.settings
    yield found
    found.client.close()


@pytest.fixture
def sqlite_seat(sqlite_queue: Queue, tmp_path: Path) -> Iterator[Seat]:
    """The same on SQLite alone, for what no database has a part in."""
    found = seat_at(sqlite_queue.db, settings_with(tmp_path))
    yield found
    found.client.close()
