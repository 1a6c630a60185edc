"""An old backup of the database is put back: nothing it had as waiting is lost, and nothing that came later is undone in silence."""

import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from packageslip import build_slip, write_slip
from support.deployment import ROOT, Deploy, Deployment, digests, eventually, tree
from support.mariadb import Server

A, B, C, D, E = (f"/courses/{name}" for name in "abcde")


@dataclass
class Site:
    """A source, a local origin, and a queue that can be put back."""

    folder: Path
    server: Server
    deployment: Deployment

    @property
    def origin(self) -> Path:
        return self.folder / "www"

    def write(self, url: str, text: str) -> None:
        folder = self.folder / "cms" / url[1:]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.htm").write_text(text, encoding="utf-8")
        (folder / "packageslip.xml").unlink(missing_ok=True)
        (folder / "packageslip.xml").write_bytes(write_slip(build_slip(folder, url)))

    def run(self, code: int = 0) -> None:
        engine = self.deployment.engine("STAGING", "--until-idle")
        assert engine.wait(120) == code, self.deployment.tail()

    def publish(self, *urls: str) -> None:
        tasks = [self.deployment.insert(url, "STAGING") for url in urls]
        self.run()
        assert {self.deployment.task(task)["status"] for task in tasks} == {"SUCCEEDED"}, self.deployment.tail()

    def _client(self, program: str) -> list[str]:
        return [program, "--no-defaults", "--host=127.0.0.1", f"--port={self.server.port}", "--user=root"]

    @property
    def _database(self) -> str:
        return str(make_url(self.deployment.url).database)

    def back_up(self) -> None:
        dump = [*self._client("mariadb-dump"), "--skip-ssl", "--routines", self._database]
        with (self.folder / "backup.sql").open("wb") as backup:
            subprocess.run(dump, stdout=backup, check=True)

    def put_back(self) -> None:
        self.server.execute(f"DROP DATABASE {self._database}", f"CREATE DATABASE {self._database}")
        with (self.folder / "backup.sql").open("rb") as backup:
            subprocess.run([*self._client("mariadb"), "--skip-ssl", self._database], stdin=backup, check=True)


@pytest.fixture
def site(tmp_path: Path, mariadb_server: Server, mariadb_url: str, deploy: Deploy) -> Site:
    (tmp_path / "www").mkdir()
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "lease": 20, "heartbeat": 1, "margin": 2},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms")}},
        "targets": {"origin": {"kind": "local", "root": str(tmp_path / "www"), "durability": "none"}},
        "environments": {"STAGING": {"source": "cms", "origin": "origin"}},
    }
    made = Site(tmp_path, mariadb_server, deploy(tmp_path / "slipway.toml", configuration))
    for url in (A, B, C, D, E):
        made.write(url, f"first {url}")
    return made


def _engine_of_before(site: Site) -> subprocess.Popen[bytes]:
    """One of another host that stands still with a module in hand."""
    flag = site.folder / "flag"
    entry = str(ROOT / "tests/support/killable_engine.py")
    arguments = ("-P", entry, "wait", "prepared", str(flag), "STAGING", "--config", str(site.deployment.config))
    engine = site.deployment.start(*arguments, OTHER_HOST="another", PYTHONPATH=str(ROOT / "tests"))
    eventually(flag.exists, 60, "an engine at work")
    # All of it stands still: otherwise it would claim the tasks that come later.
    engine.send_signal(signal.SIGSTOP)
    return engine


def test_an_old_backup_put_back_loses_no_task_and_undoes_nothing_in_silence(site: Site) -> None:
    deployment = site.deployment
    site.publish(A, B, C)
    site.write(C, "second C")
    at_work = deployment.insert(C, "STAGING")
    stale = _engine_of_before(site)
    waiting = [deployment.insert(D, "STAGING"), deployment.insert(A, "STAGING")]
    backward = deployment.insert(B, "STAGING", action="UNPUBLISH")
    site.back_up()
    site.run()
    site.write(A, "second A")
    site.publish(A, B, E)
    live = digests(tree(site.origin))

    site.put_back()
    site.run()
    assert digests(tree(site.origin)) == live, "nothing is written by a queue that forgot"
    refused = deployment.engine("STAGING", "--until-idle")
    assert refused.wait(60) == 4
    assert "slipway db restored" in deployment.tail()
    shown = deployment.command("db", "restored", "--dry-run").stdout
    assert {line.split("\t")[1] for line in shown.splitlines()} == {A, B, D, E}
    assert deployment.engine("STAGING", "--until-idle").wait(60) == 4, "a look changes nothing"

    deployment.command("db", "restored", "--yes")
    site.run()
    assert {deployment.task(task)["status"] for task in (at_work, *waiting)} == {"SUCCEEDED"}, deployment.tail()
    held = deployment.task(backward)
    assert (held["status"], held["hold"]) == ("READY", 1), "it would take down what was published later"
    assert E in {row["url"] for row in deployment.rows("SELECT url FROM publication WHERE until IS NULL")}
    deployment.command("queue", "cancel", str(backward))
    site.run()
    assert deployment.task(backward)["status"] == "CANCELLED"
    after = digests(tree(site.origin))
    assert after == digests(tree(site.folder / "cms"))

    (site.folder / "flag").unlink()
    stale.send_signal(signal.SIGCONT)
    # 4: it looked while the tables were gone.
    assert stale.wait(60) in {4, 75}, "an engine of before is shut out"
    assert digests(tree(site.origin)) == after
