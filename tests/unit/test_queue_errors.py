"""Driver errors in our words."""

import pytest
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from database.errors import DatabaseError, DatabaseUnavailable, SchemaMismatch
from database.transactions import may_pass, number_of, ours


def error(*args: object, invalidated: bool = False) -> DBAPIError:
    return OperationalError("SELECT 1", {}, Exception(*args), connection_invalidated=invalidated)


@pytest.mark.parametrize("number", [1213, 1205, 1020, 1062, 2003, 2006, 2013])
def test_what_passes_is_tried_again_and_then_said_to_be_unavailable(number: int) -> None:
    assert may_pass(error(number, "said"))
    assert type(ours(error(number, "said"))) is DatabaseUnavailable


def test_a_connection_that_the_pool_gave_up_is_tried_again() -> None:
    assert may_pass(error(9999, invalidated=True))
    assert not may_pass(error(9999))
    assert not may_pass(ValueError())


@pytest.mark.parametrize(
    ("found", "kind", "said"),
    [
        (error(1146, "no table"), SchemaMismatch, "slipway db upgrade"),
        (error(1045, "Access denied"), DatabaseUnavailable, "Check queue.url"),
        (error(1142, "UPDATE command denied"), DatabaseError, "refused a statement"),
        (error("database is locked"), DatabaseUnavailable, "stayed busy"),
        (error(), DatabaseError, "refused a statement"),
        (ArgumentError("bad"), DatabaseError, "queue.url cannot be read"),
        (SQLAlchemyError("the pool is empty"), DatabaseError, "cannot be used: the pool is empty"),
    ],
)
def test_each_fault_says_what_to_do(found: SQLAlchemyError, kind: type[DatabaseError], said: str) -> None:
    assert type(ours(found)) is kind
    assert said in str(ours(found))


def test_an_error_without_a_number_has_none() -> None:
    assert number_of(error()) is None
    assert number_of(error("words")) is None
    assert number_of(OperationalError("x", {}, None)) is None  # type: ignore[arg-type]
