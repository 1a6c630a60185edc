"""Statements compiled once for all the databases of a worker, as a program that runs for long compiles each once.

Thousands of tests open a queue of their own; to compile the same statements for each was a fifth of their time. What programs that
tests start do is not touched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import Dialect, Engine, create_engine

_compiled: dict[tuple[Any, ...], Any] = {}


class _OfAKind:
    """Stands in for an engine's own cache, whose keys begin with its dialect: here with what tells one kind of server from another."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def get(self, key: tuple[Any, ...]) -> Any:
        return _compiled.get(self._shared(key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        _compiled[self._shared(key)] = compiled

    def _shared(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        dialect = self._dialect
        assert key[0] is dialect
        # The version is known from the first connection on, and nothing is compiled before.
        return (dialect.name, getattr(dialect, "is_mariadb", False), dialect.server_version_info, *key[1:])


def _engine(*arguments: Any, **options: Any) -> Engine:
    engine = create_engine(*arguments, **options)
    engine._compiled_cache = _OfAKind(engine.dialect)  # type: ignore[assignment]
    return engine


@contextmanager
def compiled_once() -> Iterator[None]:
    """For the length of the block, databases that are opened share what is compiled."""
    with mock.patch("database.connection.create_engine", _engine):
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with compiled_once():
        yield
