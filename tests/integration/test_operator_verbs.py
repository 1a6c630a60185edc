"""Every verb of the command, and the database account that it needs: what operators need works under theirs, on MariaDB.

A new verb must be put into one of the tables: the first test says so.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli import slipway
from cli.exits import Exit
from cli.session import open_database
from config import Secrets, load
from console.routes import PLACES
from support.console import PROXY, seat_at
from support.mariadb import Server
from support.operators import make_accounts
from support.small_site import SmallSite, make_small_site

OPERATOR: dict[str, str] = {
    "publish": "/about --to STAGING",
    "unpublish": "/about --from STAGING -y",
    "rollback": "/about --in STAGING",
    "takedown": "/about --because complaint -y",
    "republish": "--to STAGING --state *",
    "plan": "/about --to PRODUCTION",
    "why": "/about",
    "history": "/about",
    "verify": "STAGING",
    "queue insert": "/about --to STAGING --action VERIFY",
    "queue list": "--all",
    "queue show": "{done}",
    "queue hold": "{new}",
    "queue release": "{new}",
    "queue cancel": "{new}",
    "queue retry": "{done}",
    "queue approve": "{held} -y",
    "queue pause": "STAGING --drain",
    "queue resume": "STAGING",
    "queue run": "STAGING",
    "queue watch": "--once",
    "schedule list": "",
    "schedule run": "nightly",
    "audit list": "",
    "audit verify": "",
    "package build": "/about --from STAGING --form download -o {folder}/about.zip",
    "db check": "",
    "doctor": "",
}
"""What operators do, with words that make it do something. Without --now: an engine has its own account."""

LATER = {"queue pause", "queue resume"}
"""What a daemon or an engine does when it sees the row; here is none, and they end with 8."""

ENGINE: dict[str, str] = {
    "store gc": "",
    "target adopt": "staging --dry-run",
    "db restored": "--dry-run",
}
"""What is done on the daemon's server, with its account (`slipway-as-daemon`)."""

STARTED = {"run", "console"}
"""Processes that stay: other tests run them, under these accounts."""

ADMINISTRATOR = {"db upgrade"}

NOBODY = {
    *("demo", "init", "console password", "completion", "man"),
    *("slip build", "slip catalogue", "slip check", "slip diff", "slip keygen", "slip sign", "slip verify", "package check"),
    *("config check", "config import", "config show", "target test", "notice test", "alert test"),
}
"""Verbs that ask no database, or one of their own."""


@dataclass(frozen=True)
class Desk:
    """A site with a queue on MariaDB, and the configuration of whoever is at work."""

    site: SmallSite
    database: str
    words: dict[str, str]

    def run(self, account: str, verb: str, words: str) -> Result:
        config = self.site.folder / f"{account}.toml"
        return CliRunner().invoke(slipway, ["-c", str(config), *verb.split(), *words.format_map(self.words).split()])


@pytest.fixture
def desk(mariadb_server: Server, tmp_path: Path) -> Iterator[Desk]:
    """A module is live in its second version; the second publish of another is held, because it lost its pages."""
    site, name = make_small_site(tmp_path), mariadb_server.new_database()
    rest = site.config.read_text() + '[schedules.nightly]\ncron = "0 3 * * *"\nenvironment = "STAGING"\nurl = "/about"\n'
    for account in ("root", "engine", "operator"):
        user = {"engine": "slipway", "operator": "slipway_operator"}.get(account, account)
        secret = "" if account == "root" else f', password = {{ file = "{account}.secret" }}'
        (tmp_path / f"{account}.secret").write_text(f"{account}\n")
        (tmp_path / f"{account}.toml").write_text(f'queue = {{ url = "{mariadb_server.url(name, user)}"{secret} }}\n{rest}')
    site.config.write_text((tmp_path / "root.toml").read_text())
    assert site.run("db", "upgrade").exit_code == 0
    make_accounts(mariadb_server, name)
    site.config.write_text((tmp_path / "engine.toml").read_text())
    publish(site)
    (tmp_path / "cms/about/index.html").write_text("<h1>second</h1>")
    for page in (tmp_path / "cms/knots").glob("page*.html"):
        page.unlink()
    publish(site)
    made = Desk(site, name, {"folder": str(tmp_path)})
    made.words.update(numbers(made))
    yield made
    mariadb_server.execute("DROP USER slipway", "DROP USER slipway_operator", f"DROP DATABASE {name}")


def publish(site: SmallSite) -> None:
    assert site.run("publish", "/about", "/knots", "--to", "STAGING").exit_code == 0
    site.engine("STAGING")


def numbers(desk: Desk) -> dict[str, str]:
    """Tasks of each kind: one that is done, one that is held, one that waits."""
    assert desk.run("operator", "publish", "/knots --to PRODUCTION").exit_code == 0
    tasks = json.loads(desk.run("operator", "queue list", "--all --json").stdout)["tasks"]
    state = {"done": "SUCCEEDED", "held": "HELD", "new": "NEW"}
    return {word: next(str(task["id"]) for task in tasks if task["state"] == state[word]) for word in state}


def verbs(parent: click.Context) -> Iterator[str]:
    """Every verb that can be typed, such as "queue list"."""
    assert isinstance(parent.command, click.Group)
    for name in parent.command.list_commands(parent):
        command = parent.command.get_command(parent, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=parent)
        words = context.command_path.removeprefix("slipway ")
        if isinstance(command, click.Group):
            yield from [words] if command.invoke_without_command else []
            yield from verbs(context)
        else:
            yield words


def test_for_every_verb_it_is_said_which_account_it_needs() -> None:
    said = [*OPERATOR, *ENGINE, *STARTED, *ADMINISTRATOR, *NOBODY]
    assert sorted(said) == sorted(verbs(click.Context(slipway, info_name="slipway")))


def test_each_account_can_do_what_it_is_for_and_neither_changes_the_schema(desk: Desk, mariadb_server: Server) -> None:
    refused = {}
    for verb, words in OPERATOR.items():
        result = desk.run("operator", verb, words)
        if result.exit_code != (Exit.TEMPORARY if verb in LATER else Exit.OK):
            refused[verb] = f"{result.exit_code}: {result.output}"
    assert refused == {}
    look_at_the_console(desk)
    for verb, words in ENGINE.items():
        result = desk.run("engine", verb, words)
        assert result.exit_code == 0, f"{verb}: {result.output}"
    mariadb_server.execute("UPDATE alembic_version SET version_num = '0001'", database=desk.database)
    for account in ("engine", "operator"):
        result = desk.run(account, "db upgrade", "")
        assert result.exit_code != 0
        assert "denied" in result.stderr


def look_at_the_console(desk: Desk) -> None:
    """Each page of it, and a change of each kind, under the operators' account, which is the one that its service has."""
    flags = {f"console.proxy.{key}": value for key, value in PROXY.items()}
    settings = load(desk.site.folder / "operator.toml", {}, flags=flags)
    with closing(open_database(settings, Secrets({}))) as database:
        seat = seat_at(database, settings)
        pages = [place.path for place in PLACES if place.method == "GET" and place.role and "{" not in place.path]
        assert len(pages) > 8
        for path in [*pages, "/task/1", "/module/about", "/api/v1/why?url=/about"]:
            # 422: what the program wants, this one has to say; the database is not asked.
            assert seat.client.get(path, headers=seat.headers).status_code in {200, 303, 422}, path
        seat.post("/queue/insert", environment="STAGING", url="/about", action="VERIFY")
        seat.post(f"/task/{desk.words['done']}/retry", note="again")
        seat.post("/environment/STAGING", do="pause", note="maintenance")
        seat.post("/module/about/takedown", note="a complaint")
        seat.post("/audit/check")
        seat.client.close()
