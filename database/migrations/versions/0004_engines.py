"""What tells an engine from another process of its number, and what it understands."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0004_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        op.execute(text(statement))


def downgrade() -> None:
    raise NotImplementedError("An older program works with these columns as it did without them.")
