"""The first queue: tasks, engines, targets, attempts, events, publications."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0001_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        # A colon before a letter would be read as a parameter.
        op.execute(text(statement.replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("The first schema has nothing before it: drop the database instead.")
