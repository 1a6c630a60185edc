"""How-to pages of the manual, followed as written: what they say to type works, and shows what they say."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from database import upgrade_sql
from packageslip import check_slip
from support.mariadb import Server, missing
from support.walkthrough import ROOT, Walk, blocks, surroundings
from support.warm_command import warm_command


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    """A folder with the command."""
    with warm_command(tmp_path) as folder:
        yield folder


def test_a_static_site_is_published_as_its_page_says(tmp_path: Path, program: Path) -> None:
    with Walk(tmp_path, surroundings(tmp_path, program)) as walk:
        walk.follow("docs/static-site.md", "a site for this page", "slipway.toml")
    assert (tmp_path / "published/main.css").read_text() == "h1 { color: navy }\n"


def test_the_slip_that_a_cms_is_shown_is_one() -> None:
    [shown] = [block.text for block in blocks("docs/cms.md") if block.title == "packageslip.xml"]
    assert check_slip(shown.encode(), "packageslip.xml") == []


PLACES = """
[sources.site]
kind = "directory"
path = "../../cms"
build_slips = true
[targets.origin]
kind = "local"
root = "../../origin"
[environments.PRODUCTION]
source = "site"
origin = "origin"
"""


@pytest.fixture
def server_room(mariadb_server: Server, tmp_path: Path, program: Path) -> Iterator[Walk]:
    """A server as the pages expect it, but with its places below a folder of the test's, and a shell of root's on it."""
    units = [f"etc/systemd/system/{name}.service.d" for name in ("slipway", "slipway-console")]
    for folder in ("etc/slipway/secrets", *units, "var/lib/slipway-console", "state", "cms/hello", "origin", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("mariadb", "mariadb-dump"):
        client = shutil.which(name)
        if client is None:
            missing(f"{name} is not installed: apt-get install mariadb-client")
        write_program(tmp_path, name, f'exec {client} --no-defaults -h127.0.0.1 -P{mariadb_server.port} -uroot "$@"')
    # By systemd it is tried on a whole machine; here it is what that comes to.
    credentials = f"mkdir -p {tmp_path}/run; cp {tmp_path}/etc/slipway/secrets/queue-engine {tmp_path}/run/queue-password"
    slipway = f"exec {program}/slipway --config {tmp_path}/etc/slipway/config.toml"
    write_program(tmp_path, "slipway", f'{slipway} "$@"')
    write_program(tmp_path, "slipway-as-daemon", f'{credentials}\nexport CREDENTIALS_DIRECTORY={tmp_path}/run\n{slipway} "$@"')
    for name in ("systemctl", "systemd-tmpfiles"):
        write_program(tmp_path, name, "exit 0")
    words = {
        "-C /": f"-C {tmp_path}",
        "/etc/slipway": f"{tmp_path}/etc/slipway",
        "/var/lib/slipway": f"{tmp_path}/state",
        "/var/backups": f"{tmp_path}/backups",
        "/usr/local/src/slipway": str(ROOT),
        "127.0.0.1/slipway": f"127.0.0.1:{mariadb_server.port}/slipway",
    }
    with Walk(tmp_path, surroundings(tmp_path, tmp_path / "bin"), words) as walk:
        yield walk
    mariadb_server.execute(*(f"DROP USER IF EXISTS {user}" for user in ("slipway", "slipway_operator")))
    mariadb_server.execute("DROP DATABASE IF EXISTS slipway")


def write_program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def publish(walk: Walk, text: str) -> None:
    (walk.folder / "cms/hello/index.html").write_text(text)
    walk.type("slipway-as-daemon publish /hello --to PRODUCTION --now\n")


def test_backup_restore_and_upgrade_work_as_their_pages_say(server_room: Walk, mariadb_server: Server) -> None:
    walk = server_room
    walk.type(f"cd {ROOT}\n")
    walk.follow("deploy/README.md", section="2. The database")
    with (walk.folder / "etc/slipway/config.toml").open("a") as config:
        config.write(PLACES)
    publish(walk, "before the backup")
    walk.follow("docs/backup.md")
    publish(walk, "after the backup")
    stopped, *_ = walk.follow("docs/restore.md", section="The database is restored from a backup")
    assert stopped == ""
    assert (walk.folder / "origin/hello/index.html").read_text() == "after the backup"
    assert "nothing had to move" in walk.type("slipway-as-daemon publish /hello --to PRODUCTION --now\n")

    mariadb_server.execute("DROP DATABASE slipway")
    walk.follow("docs/restore.md", "a new database", "without a backup", section="The database is lost, and there is no backup")

    for lost in ("etc", "state"):
        shutil.rmtree(walk.folder / lost)
    walk.follow("docs/restore.md", "the configuration", section="The server is lost")
    assert (walk.folder / "etc/systemd/system/slipway.service.d").is_dir()
    assert "nothing had to move" in walk.type("slipway-as-daemon publish /hello --to PRODUCTION --now\n")

    whole = upgrade_sql("mysql")
    old = whole[: whole.index("-- Running upgrade 0005 ->")]
    mariadb_server.execute("DROP DATABASE slipway", "CREATE DATABASE slipway CHARACTER SET utf8mb4")
    statements = [statement for statement in old.split(";\n") if statement.strip()]
    mariadb_server.execute(*statements, database="slipway")
    assert "schema 0005" in walk.type("slipway-as-daemon db check || test $? = 4\n")
    walk.follow("docs/upgrade.md", section="2. The schema")
