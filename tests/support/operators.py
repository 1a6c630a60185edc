"""The operators' database account, made by the file that administrators run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from support.mariadb import Server

ACCOUNTS = Path(__file__).resolve().parents[2] / "deploy" / "mysql-accounts.sql"


@pytest.fixture
def operator_url(mariadb_server: Server) -> Iterator[Callable[[str], str]]:
    """`operator_url(url)` makes both accounts for this database and gives the operator's URL; they go with the test."""

    def make(url: str) -> str:
        name = str(make_url(url).database)
        make_accounts(mariadb_server, name)
        return f"mysql+pymysql://slipway_operator:operator@127.0.0.1:{mariadb_server.port}/{name}"

    yield make
    mariadb_server.execute("DROP USER IF EXISTS slipway", "DROP USER IF EXISTS slipway_operator")


def make_accounts(server: Server, database: str) -> None:
    """`slipway` and `slipway_operator`, whose passwords are "engine" and "operator", with their rights on this database."""
    text = ACCOUNTS.read_text(encoding="utf-8").replace("DATABASE.", f"{database}.")
    text = text.replace("'ENGINE_PASSWORD'", "'engine'").replace("'OPERATOR_PASSWORD'", "'operator'")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    server.execute(*(statement.strip() for statement in lines.split(";") if statement.strip()))
