"""A real course goes from an HTTP CMS over SSH to staging, a holding area and production; changes; and goes away again."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from packageslip import read_slip
from support.deployment import Deploy, Deployment, digests, empty_folders, eventually, tree
from support.sshd import Sshd, StartSshd

URL = "/courses/media-arts-and-sciences/6-868j-spring-2007"
PACKAGE = "6-868j-spring-2007"
NEIGHBOUR = "/courses/media-arts-and-sciences"
VIEW_PATHS = {"index.json", "rss.xml"}
VIEWS = '<views>\n    <json path="index.json"/>\n    <feed path="rss.xml"/>\n  </views>'


@dataclass
class Site:
    """The CMS's folder, the server in front of it, and where it is published."""

    folder: Path
    cms: Any
    seen: Mapping[Path, tuple[Sshd, str]]
    """The server of each root, and the root as its log names it."""
    deployment: Deployment
    staging: Path
    mirror: Path
    production: Path

    @property
    def module(self) -> Path:
        return self.folder / URL[1:]

    def build(self) -> None:
        """A slip with digests by the command, and one JSON view and one feed added to it by hand."""
        views = [self.module / "index.json", self.module / "rss.xml"]
        aside = [(view, view.read_bytes()) for view in views]
        for view in views:
            view.unlink()
        slip = self.module / "packageslip.xml"
        self.deployment.command("slip", "build", str(self.module), "--url", URL, "-o", str(slip))
        text = slip.read_text(encoding="utf-8")
        assert "<views" not in text
        slip.write_text(text.replace("</resources>", f"</resources>\n  {VIEWS}"), encoding="utf-8")
        for view, content in aside:
            view.write_bytes(content)

    def run(self, environment: str, **columns: object) -> dict[str, Any]:
        task = self.deployment.insert(URL, environment, **columns)
        row = self.deployment.settled(task)
        assert row["status"] == "SUCCEEDED", f"{row['status']}: {row['reason']}\n{self.deployment.tail()}"
        self.deployment.quiet()
        return dict(row)

    def asked(self) -> list[str]:
        """Paths of the module that the CMS was asked for, slips and catalogue apart."""
        return [
            record.path.removeprefix(URL + "/")
            for record in self.cms.log
            if record.path.startswith(URL + "/") and not record.path.endswith("packageslip.xml")
        ]


@pytest.fixture
def site(
    real_course: Path,
    tmp_path: Path,
    cms: Callable[..., Any],
    start_sshd: StartSshd,
    mariadb_url: str,
    deploy: Deploy,
) -> Site:
    folder = tmp_path / "cms"
    module = folder / URL[1:]
    shutil.copytree(real_course, module)
    (module / "index.json").write_text(json.dumps({"title": "The Society of Mind"}), encoding="utf-8")
    (module / "rss.xml").write_text("<rss version='2.0'><channel><title>6.868J</title></channel></rss>", encoding="utf-8")
    neighbour = folder / NEIGHBOUR[1:]
    (neighbour / "index.htm").write_text("<h1>Media Arts and Sciences</h1>", encoding="utf-8")
    server = cms(folder)
    ssh = start_sshd(accounts=2, logged=True)
    jail = start_sshd(accounts=2, chroot=True)
    # The holding area is another account of another server, which is chrooted; its log has the paths that it sees.
    places = {"staging": (ssh, ssh.accounts[0]), "mirror": (jail, jail.accounts[1]), "production": (ssh, ssh.accounts[1])}
    targets = {
        name: {
            "kind": "sftp",
            "host": host.host,
            "port": host.port,
            "user": account.user,
            "key": account.key,
            "root": account.remote_root,
            "known_hosts": host.known_hosts,
            "file_mode": "0640" if name == "mirror" else "0644",
            "public_slip": True,
        }
        for name, (host, account) in places.items()
    }
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url},
        "sources": {"cms": {"kind": "http", "url": server.url}},
        "targets": targets,
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging", "views": "cms", "holding_areas": [{"target": "mirror"}]},
            "PRODUCTION": {"source": "target:staging", "origin": "production", "views": "cms"},
        },
    }
    deployment = deploy(tmp_path / "slipway.toml", configuration)
    seen = {account.root: (host, account.remote_root) for host, account in places.values()}
    return Site(folder, server, seen, deployment, *(account.root for _, account in places.values()))


def test_a_real_course_goes_live_changes_and_goes_away(site: Site) -> None:
    site.build()
    neighbour = site.folder / NEIGHBOUR[1:]
    site.deployment.command("slip", "build", str(neighbour), "--url", NEIGHBOUR, "-o", str(neighbour / "packageslip.xml"))
    site.deployment.daemon()
    _first_publication(site)
    _what_changed_moves_and_nothing_else(site)
    _unpublishing_leaves_the_neighbours(site)


def _first_publication(site: Site) -> None:
    site.run("STAGING")
    wanted = tree(site.module)
    fetched = [wanted[path].digest for path in site.asked()]
    assert sorted(fetched) == sorted({leaf.digest for leaf in wanted.values()}), "the same bytes are fetched once"
    site.cms.log.clear()
    site.run("PRODUCTION")
    assert sorted(site.asked()) == sorted(VIEW_PATHS), "production fetches the views alone"
    for root, mode in ((site.staging, 0o644), (site.mirror, 0o640), (site.production, 0o644)):
        live = tree(root / URL[1:])
        assert digests(live) == digests(wanted)
        assert {leaf.mode for leaf in live.values()} == {mode}
        resources = live.keys() - VIEW_PATHS
        assert {path: live[path].modified for path in resources} == {path: wanted[path].modified for path in resources}
        assert not empty_folders(root)
        _the_slip_there_is_right(root / URL[1:], digests(wanted))


def _the_slip_there_is_right(module: Path, wanted: dict[str, str]) -> None:
    slip = read_slip((module / "packageslip.xml").read_bytes(), "packageslip.xml", url=URL)
    assert {file.path: (file.digest or b"").hex() for file in slip.files()} == wanted
    assert slip.serial
    assert slip.version


def _what_changed_moves_and_nothing_else(site: Site) -> None:
    before = tree(site.module)
    changed = f"{PACKAGE}/START.htm"
    (site.module / changed).write_bytes(b"<html>changed</html>")
    (site.module / "added.htm").write_bytes(b"<html>added</html>")
    removed = f"{PACKAGE}/ReadMe.txt"
    (site.module / removed).unlink()
    (site.module / f"{PACKAGE}/contents/readings").rename(site.module / f"{PACKAGE}/contents/reading-list")
    (site.module / "imsmanifest.xml").unlink()
    (site.module / "imsmanifest.xml").mkdir()
    (site.module / "imsmanifest.xml/part.xml").write_bytes(b"<part/>")
    renamed = sorted(path for path in before if path.startswith(f"{PACKAGE}/contents/readings/"))
    put = {changed, "added.htm", "imsmanifest.xml/part.xml"} | {
        path.replace("/contents/readings/", "/contents/reading-list/") for path in renamed
    }
    dropped = {removed, "imsmanifest.xml", *renamed}
    site.build()
    wanted = digests(tree(site.module))

    plan = json.loads(site.deployment.command("plan", URL, "--to", "STAGING", "--json").stdout)
    unknown = {change["path"] for change in _changes(plan) if change["reason"] == "unknown"}
    assert unknown == VIEW_PATHS, "a dry run does not fetch views"
    changes = {change["path"]: change["change"] for change in _changes(plan) if change["path"] not in unknown}
    assert {path for path, change in changes.items() if change == "put"} == put
    assert {path for path, change in changes.items() if change == "drop"} == dropped

    site.cms.log.clear()
    logged = {root: len(host.log) for root, (host, _) in site.seen.items()}
    site.run("STAGING")
    fetched = {path for path in site.asked() if path not in VIEW_PATHS}
    assert fetched == {changed, "added.htm", "imsmanifest.xml/part.xml"}, "bytes under a new name are in the store"
    _the_servers_saw_only(site, logged, put, dropped)
    site.run("PRODUCTION")
    for root in (site.staging, site.mirror, site.production):
        assert digests(tree(root / URL[1:])) == wanted
        assert not empty_folders(root)


def _changes(plan: Any) -> list[dict[str, Any]]:
    members = plan["plan"].get("members", [plan["plan"]])
    return [change for one in members for change in one["changes"]]


def _the_servers_saw_only(site: Site, logged: Mapping[Path, int], put: set[str], dropped: set[str]) -> None:
    """Renames into and out of the module's live folder, as the SFTP servers themselves logged them (staging and mirror)."""
    folders = {f"{PACKAGE}/contents/reading-list", "imsmanifest.xml"}
    for root in (site.staging, site.mirror):
        host, remote = site.seen[root]
        live, start = f"{remote}/{URL[1:]}/", logged[root]

        def all_there(host: Sshd = host, live: str = live, start: int = start) -> bool:
            into, out = _renames(host.log[start:], live)
            return put <= into and dropped <= out

        # A chrooted server's lines come through a socket, a little later.
        eventually(all_there, 10, "every rename in the server's log")
        into, out = _renames(host.log[start:], live)
        assert into - folders - {"packageslip.xml"} == put
        assert out == dropped


def _renames(log: str, live: str) -> tuple[set[str], set[str]]:
    """Names below a folder that something was renamed into, and out of."""
    into: set[str] = set()
    out: set[str] = set()
    for line in log.splitlines():
        names = line.split('"')
        if "rename " in line and len(names) >= 4:
            into |= {names[3].removeprefix(live)} if names[3].startswith(live) else set()
            out |= {names[1].removeprefix(live)} if names[1].startswith(live) else set()
    return into, out


def _unpublishing_leaves_the_neighbours(site: Site) -> None:
    neighbour = site.deployment.insert(NEIGHBOUR, "STAGING")
    assert site.deployment.settled(neighbour)["status"] == "SUCCEEDED"
    foreign = site.staging / NEIGHBOUR[1:] / "by-hand.txt"
    foreign.write_text("not ours", encoding="utf-8")
    site.run("STAGING", action="UNPUBLISH")
    site.run("PRODUCTION", action="UNPUBLISH")
    for root in (site.staging, site.mirror, site.production):
        assert not (root / URL[1:]).exists()
    assert sorted(tree(site.staging)) == [f"{NEIGHBOUR[1:]}/by-hand.txt", f"{NEIGHBOUR[1:]}/index.htm"]
