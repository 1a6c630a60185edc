"""The procedure of old scripts notes the code that it was called with, so that its use can be named in the log."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if context.get_context().dialect.name == "sqlite":
        # It has no procedures.
        return
    script = Path(__file__).with_name("0003_mysql.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        op.execute(text(statement))


def downgrade() -> None:
    raise NotImplementedError("Nothing is gained by it: both forms of the procedure take the same calls.")
