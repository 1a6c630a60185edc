"""The database and the state directory are gone: the targets still say what they hold, and a new queue carries on."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from packageslip import build_slip, write_slip
from support.deployment import ROOT, Deploy, Deployment, digests, eventually, tree
from support.mariadb import Server
from support.sshd import Sshd, StartSshd

ONE, TWO = "/courses/one", "/courses/two"


@dataclass
class Installations:
    """One source and one origin; queues come and go."""

    folder: Path
    ssh: Sshd
    server: Server
    deploy: Deploy

    @property
    def site(self) -> Path:
        return self.folder / "cms"

    @property
    def root(self) -> Path:
        return self.ssh.accounts[0].root

    def make(self, name: str) -> Deployment:
        account = self.ssh.accounts[0]
        origin = {
            "kind": "sftp",
            "host": self.ssh.host,
            "port": self.ssh.port,
            "user": account.user,
            "key": account.key,
            "root": account.remote_root,
            "known_hosts": self.ssh.known_hosts,
        }
        configuration = {
            "state_dir": str(self.folder / name),
            "queue": {"url": self.server.url(self.server.new_database()), "lease": 8, "heartbeat": 1, "margin": 1},
            "sources": {"cms": {"kind": "directory", "path": str(self.site)}},
            "targets": {"origin": origin},
            "environments": {"STAGING": {"source": "cms", "origin": "origin"}},
        }
        return self.deploy(self.folder / f"{name}.toml", configuration)

    def lose(self, deployment: Deployment, name: str) -> None:
        self.server.execute(f"DROP DATABASE {make_url(deployment.url).database}")
        shutil.rmtree(self.folder / name)


@pytest.fixture
def installations(tmp_path: Path, start_sshd: StartSshd, mariadb_server: Server, deploy: Deploy) -> Installations:
    made = Installations(tmp_path, start_sshd(logged=True), mariadb_server, deploy)
    for url in (ONE, TWO):
        folder = made.site / url[1:]
        folder.mkdir(parents=True)
        (folder / "index.htm").write_text(f"<h1>{url}</h1>", encoding="utf-8")
        for number in range(6):
            (folder / f"notes-{number}.txt").write_text(f"{url} {number}\n" * 50, encoding="utf-8")
        _write_slip(made.site, url)
    return made


def _write_slip(site: Path, url: str) -> None:
    folder = site / url[1:]
    (folder / "packageslip.xml").write_bytes(write_slip(build_slip(folder, url)))


def _publish(deployment: Deployment, *urls: str) -> list[Mapping[str, Any]]:
    tasks = [deployment.insert(url, "STAGING") for url in urls]
    engine = deployment.engine("STAGING", "--until-idle")
    assert engine.wait(90) == 0, deployment.tail()
    return [deployment.settled(task) for task in tasks]


def _waiting_engine(deployment: Deployment, point: str, flag: Path) -> subprocess.Popen[bytes]:
    """An engine that stands still in the middle of its task until the flag is removed."""
    entry = str(ROOT / "tests/support/killable_engine.py")
    arguments = ("-P", entry, "wait", point, str(flag), "STAGING", "--config", str(deployment.config))
    engine = deployment.start(*arguments, PYTHONPATH=str(ROOT / "tests"))
    eventually(flag.exists, 60, f"arriving at '{point}'")
    return engine


@pytest.mark.parametrize("point", ["between files", "between renames"])
def test_a_new_queue_carries_on_and_an_engine_of_the_lost_one_changes_nothing(installations: Installations, point: str) -> None:
    old = installations.make("old")
    assert {row["status"] for row in _publish(old, ONE, TWO)} == {"SUCCEEDED"}
    old.insert(ONE, "STAGING", parameters='{"mode": "full"}')
    flag = installations.folder / "flag"
    sleeper = _waiting_engine(old, point, flag)
    installations.lose(old, "old")
    (installations.site / TWO[1:] / "notes-5.txt").unlink()
    _write_slip(installations.site, TWO)

    new = installations.make("new")
    refused = _publish(new, TWO)[0]
    assert refused["status"] == "FAILED", "another queue's area is not entered silently"
    assert "slipway target adopt origin" in refused["reason"]
    new.command("target", "adopt", "origin", "--yes")
    logged = len(installations.ssh.log)
    assert [row["status"] for row in _publish(new, TWO)] == ["SUCCEEDED"], new.tail()
    into, out = _live_renames(installations, logged)
    assert into == {"courses/two/packageslip.xml"}, "nothing but the slip is renewed"
    assert out == {"courses/two/notes-5.txt"}, "exactly what became stale goes"
    assert [row["status"] for row in _publish(new, ONE)] == ["SUCCEEDED"], new.tail()
    assert not _files_sent(installations, logged), "no bytes move"

    before = tree(installations.root)
    flag.unlink()
    # It would wait for its queue for some minutes.
    sleeper.terminate()
    assert sleeper.wait(90) != 0, "an engine whose queue was lost does not report success"
    assert tree(installations.root) == before
    assert digests(tree(installations.root)) == digests(tree(installations.site))


def _live_renames(installations: Installations, logged: int) -> tuple[set[str], set[str]]:
    """Public paths that something was renamed into, and out of, as the SFTP server logged it."""
    into: set[str] = set()
    out: set[str] = set()
    for line in installations.ssh.log[logged:].splitlines():
        names = line.split('"')
        if "rename " in line and len(names) >= 4:
            for place, found in ((names[1], out), (names[3], into)):
                relative = place.removeprefix(f"{installations.root}/")
                if not relative.startswith(".slipway"):
                    found.add(relative)
    return into, out


def _files_sent(installations: Installations, logged: int) -> list[str]:
    """Staged files of a module (not slips, not notes) that were opened for writing."""
    lines = installations.ssh.log[logged:].splitlines()
    opened = [line.split('"')[1].rpartition("/")[2] for line in lines if 'open "' in line and "WRITE" in line]
    return [name for name in opened if name.startswith("s:") and name.rpartition(":")[2].isdigit()]
