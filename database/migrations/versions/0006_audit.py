"""The audit log, the signed slips that were seen, and the account that inserted a row."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0006_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        # A colon would be read as a parameter.
        op.execute(text(statement.replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("An audit log that can be taken away is none: restore a backup instead.")
