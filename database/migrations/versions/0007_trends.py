"""What attempts add up to by the hour and the day, what was last verified, and how long a step has taken."""

from pathlib import Path

from alembic import context, op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = "sqlite" if context.get_context().dialect.name == "sqlite" else "mysql"
    script = Path(__file__).with_name(f"0007_{kind}.sql").read_text(encoding="utf-8")
    for statement in script.strip().split("\n\n"):
        # A colon would be read as a parameter.
        op.execute(text(statement.replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("What has been added up is not known any more by the attempts alone: restore a backup instead.")
