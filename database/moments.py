"""Moments in rows: aware datetimes in UTC here, what each kind of database keeps there."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator, TypeEngine


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime: DATETIME(6) on MySQL, text on SQLite, where people insert CURRENT_TIMESTAMP."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String())
        # Imported here: each process has one database, and needs what belongs to that one.
        from sqlalchemy.dialects.mysql import DATETIME  # noqa: PLC0415

        return dialect.type_descriptor(DATETIME(fsp=6))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - as SQLAlchemy declares it
        if value is None:
            return None
        naive = value.astimezone(UTC).replace(tzinfo=None)
        return format_moment(naive) if dialect.name == "sqlite" else naive

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        del dialect
        if isinstance(value, str):
            return parse_moment(value)
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def format_moment(naive: datetime) -> str:
    """As SQLite's rows hold it: sorts as text, and after the same second without a fraction."""
    return naive.isoformat(sep=" ", timespec="microseconds")


def parse_moment(text: str) -> datetime | None:
    """None for what is no time: MySQL's '0000-00-00 00:00:00' of a lenient session, for one."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
