"""Takedowns: modules that were removed everywhere, and that nothing publishes again before a person lifts it."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0005_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        op.execute(text(statement))


def downgrade() -> None:
    raise NotImplementedError("Without its takedowns a module could be published that must not be: restore a backup instead.")
