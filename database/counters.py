"""The counter of fences: one for the whole database, so that any two can be compared."""

from sqlalchemy import Connection, bindparam, func, select, update

from database import schema

_counter = schema.counter.c
_TAKE = update(schema.counter).where(_counter.name == "fence").values(value=_counter.value + bindparam("count"))
_TAKE_AND_TELL = _TAKE.values(value=func.last_insert_id(_counter.value + bindparam("count")))
"""MySQL and MariaDB say with their answer what it has become."""
_NEWEST = select(_counter.value).where(_counter.name == "fence")


def next_fences(connection: Connection, count: int) -> range:
    """`count` fences that nobody had before. The row stays locked until the transaction ends, so take them late."""
    if connection.dialect.name == "sqlite":
        connection.execute(_TAKE, {"count": count})
        last = newest_fence(connection)
    else:
        last = connection.execute(_TAKE_AND_TELL, {"count": count}).lastrowid
    return range(last - count + 1, last + 1)


def jump_above(connection: Connection, mark: int) -> int:
    """One fence above everything given out here and above `mark`, which was found elsewhere."""
    locked = select(_counter.value).where(_counter.name == "fence").with_for_update()
    fence: int = max(connection.execute(locked).scalar_one(), mark) + 1
    connection.execute(update(schema.counter).where(_counter.name == "fence").values(value=fence))
    return fence


def newest_fence(connection: Connection) -> int:
    """The last fence that was given out."""
    return int(connection.execute(_NEWEST).scalar_one())


def begin_intake(connection: Connection) -> bool:
    """Become the one who does intake in this transaction; False: somebody else is at it."""
    free = select(_counter.name).where(_counter.name == "intake").with_for_update(skip_locked=True)
    return connection.scalar(free) is not None
