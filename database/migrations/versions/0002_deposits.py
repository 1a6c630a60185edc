"""The record of deposits: what was sent to an archive, and what the archive answered."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0002_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        op.execute(text(statement))


def downgrade() -> None:
    raise NotImplementedError("Without the record of deposits a module could be deposited twice: restore a backup instead.")
