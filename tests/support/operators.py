"""The operators' database account, made by the file that administrators run."""

from pathlib import Path

from sqlalchemy.engine import make_url

from support.mariadb import Server

ACCOUNTS = Path(__file__).resolve().parents[2] / "deploy" / "mysql-accounts.sql"


def operator_url(server: Server, url: str) -> str:
    """Make the two accounts for this database; the operator's URL."""
    name = str(make_url(url).database)
    text = ACCOUNTS.read_text(encoding="utf-8").replace("DATABASE.", f"{name}.")
    text = text.replace("'ENGINE_PASSWORD'", "'engine'").replace("'OPERATOR_PASSWORD'", "'operator'")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    server.execute(*(statement.strip() for statement in lines.split(";") if statement.strip()))
    return f"mysql+pymysql://slipway_operator:operator@127.0.0.1:{server.port}/{name}"
