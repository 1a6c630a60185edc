"""A whole installation for somebody at the console to look at: a queue on MariaDB, the real daemon and its engines, a CMS, a local and
an SFTP origin, a slow mirror, a vault that does not answer; and modules in every state that an operator meets.

It is started once for all tests that want it. A test that changes something takes a module of its own (`course`).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from console import Role, line_of
from database.trends import ALL
from packageslip import build_slip, write_slip
from support.deployment import Deployment, eventually, toml
from support.mariadb import Server
from support.schema import fresh
from support.sshd import Sshd
from support.tcp_proxy import TcpProxy

PASSWORDS = {"vera": Role.VIEWER, "olaf": Role.OPERATOR, "anna": Role.APPROVER}
"""Who may sign in by name; each one's password is "the word of " and the name."""
SLOW = 150_000
"""Bytes a second to the mirror."""
PHASES = {"load": 0.02, "plan": 0.05, "transfer": 0.4, "stage": 1.1, "switch": 0.1}
"""Seconds that each takes in the sums of `add_up_a_day`."""
LISTENS = re.compile(r"console at http://127\.0\.0\.1:(\d+)(\S*)")


@dataclass
class WatchedSite:
    """The installation, and the way to make more happen in it."""

    folder: Path
    deployment: Deployment
    consoles: dict[str, str] = field(default_factory=dict)
    """What the console that was started with these settings said first, by their names."""
    stack: ExitStack = field(default_factory=ExitStack)
    """What ends with the site."""
    browser: Browser | None = None
    """Who looks at it, once there is one."""

    def course(self, name: str, files: int = 8, size: int = 400, missing: str | None = None) -> str:
        """Write a course to the CMS, again if it is there, and give its URL. `missing`: a file that is only in its slip."""
        url = f"/courses/{name}"
        place = self.folder / "cms" / url[1:]
        place.mkdir(parents=True, exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        for number in range(files):
            (place / (f"lecture-{number:02d}.htm" if number else "index.htm")).write_bytes(os.urandom(size // 2).hex().encode())
        title = name.replace("-", " ").capitalize()
        (place / "packageslip.xml").write_bytes(write_slip(build_slip(place, url, module_type="course", title=title)))
        if missing is not None:
            (place / missing).unlink()
        return url

    def publish(self, url: str, environment: str = "STAGING", **columns: object) -> int:
        """A row, as an operator inserts it, and wait for what comes of it."""
        task = self.insert(url, environment, **columns)
        self.deployment.settled(task)
        return task

    def insert(self, url: str, environment: str = "STAGING", **columns: object) -> int:
        return self.deployment.insert(url, environment, **columns)

    def state(self, task: int) -> str:
        return str(self.deployment.task(task)["status"])

    def becomes(self, task: int, state: str) -> None:
        eventually(lambda: self.state(task) == state, 60, f"task {task} {state}, not {self.deployment.task(task)}")

    @property
    def main_console(self) -> str:
        """The address of the console that most look at: people sign in by name, or a proxy says who they are."""
        proxy = {"addresses": ["127.0.0.1"], "user_header": "X-Remote-User", "role_header": "X-Remote-Role"}
        return self.console(passwords=self.folder / "people", proxy=json.dumps(proxy))

    def console(self, **settings: object) -> str:
        """The address of a console with these settings beside the daemon; with a link's token, where it printed one."""
        name = str(sorted(settings.items()))
        if name not in self.consoles:
            variables = {f"SLIPWAY_CONSOLE__{key.upper()}": str(value) for key, value in settings.items()}
            command = ("-P", "-c", "import cli; cli.main()", "--config", str(self.deployment.config), "console")
            self.deployment.start(*command, "--bind", "127.0.0.1:0", **variables)
            log = self.deployment.logs / f"{len(self.deployment.processes) - 1}.log"
            found = eventually(lambda: LISTENS.search(log.read_text()), 60, f"a console ({log.read_text()})")
            self.consoles[name] = f"http://127.0.0.1:{found[1]}{found[2]}".rstrip("/")
        return self.consoles[name]


def settings_of(folder: Path, url: str, sshd: Sshd, mirror: int) -> dict[str, Any]:
    """The configuration. `mirror`: the port of the slow line to the SFTP server."""
    site, far = sshd.fresh_site(), sshd.fresh_site()
    sftp = {"kind": "sftp", "host": "127.0.0.1", "user": site.user, "key": str(site.key), "host_key": sshd.host_key}
    return {
        "state_dir": str(folder / "state"),
        "queue": {"url": url, "poll": 0.1},
        "engine": {"linger": 600, "workers": 2},
        "retry": {"base": 0.2, "max_attempts": 2, "breaker": 600},
        "sources": {"cms": {"kind": "directory", "path": str(folder / "cms")}},
        "targets": {
            "staging": {"kind": "local", "root": str(folder / "staging"), "durability": "none"},
            "production": {**sftp, "port": sshd.port, "root": site.remote_root},
            "mirror": {**sftp, "port": mirror, "root": far.remote_root},
            "vault": {**sftp, "port": 9, "root": "/", "connect_timeout": 2},
        },
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging"},
            "PRODUCTION": {"source": "target:staging", "origin": "production"},
            "MIRROR": {"source": "cms", "origin": "mirror"},
            "VAULT": {"source": "cms", "origin": "vault"},
        },
        "schedules": {
            "nightly": {"cron": "15 2 * * *", "environment": "PRODUCTION", "action": "REPUBLISH"},
            "weekly-check": {"cron": "0 4 * * 0", "environment": "STAGING", "action": "VERIFY"},
        },
        "console": {"title": "Slipway at the shipyard"},
    }


def fill(site: WatchedSite) -> None:
    """Modules in every state."""
    physics, optics = site.course("physics", files=24), site.course("optics", files=12)
    # The first alone: the tests name its publications by their numbers.
    site.publish(physics, requested_by="ann", note="new term")
    tasks = [site.insert(url, requested_by="ann", note="new term") for url in (optics, site.course("knots", files=60))]
    tasks.append(site.insert(site.course("chemistry", missing="lecture-03.htm"), requested_by="ben"))
    tasks.append(site.insert("/courses//twice", requested_by="ben"))
    tasks.append(site.insert(site.course("logic"), "VAULT"))
    add_up_a_day(site)
    for task in tasks[:4]:
        site.deployment.settled(task)
    for url in (physics, optics):
        site.publish(url, "PRODUCTION", requested_by="ann")
    lecture = site.folder / "cms" / physics[1:] / "lecture-05.htm"
    kept = {path.name: path.read_bytes() for path in lecture.parent.iterdir() if path.suffix == ".htm" and path != lecture}
    site.course("physics", files=26)
    for name, content in kept.items():
        (lecture.parent / name).write_bytes(content)
    slip = write_slip(build_slip(lecture.parent, physics, module_type="course", title="Physics"))
    (lecture.parent / "packageslip.xml").write_bytes(slip)
    site.publish(physics, requested_by="ann", note="lecture 5 mended")
    site.course("knots", files=20)
    site.publish("/courses/knots", requested_by="ben", note="half of it is gone?")
    site.insert(optics, hold=1, requested_by="ann", note="not before Monday")
    site.insert(site.course("history"), run_after="2031-01-01 06:00:00", requested_by="cms")


def add_up_a_day(site: WatchedSite) -> None:
    """Sums of the hours behind us, as a day of work would have left them; what really ends here is added to them much later."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    rows = []
    for back in range(1, 24):
        busy = 40 + 30 * ((back * 7) % 11)
        sums = {
            "outcome:SUCCEEDED": (busy, busy, 1),
            "outcome:FAILED": (back % 4, back % 4, 1),
            "outcome:UNREACHABLE": (3 * (back == 9), 3 * (back == 9), 1),
            "action:PUBLISH": (busy - 10, busy - 10, 1),
            "action:DELIVER": (10, 10, 1),
            **{f"phase:{name}": (busy, busy * share, share * 4) for name, share in PHASES.items()},
            "age": (busy, busy * 1.5, 20.0 + back),
            "moved": (busy, busy * 120_000.0, 9e6),
            "saved": (busy, busy * 700_000.0, 4e7),
            "error:ResourceMissing": (back % 4, back % 4, 1),
            "error:TargetUnreachable": (3 * (back == 9), 3 * (back == 9), 1),
        }
        at = hour - timedelta(hours=back)
        rows += [
            {"at": at, "environment": place, "measure": measure, "n": n, "total": total, "most": most}
            for measure, (n, total, most) in sums.items()
            for place in ("STAGING", ALL)
            if n
        ]
    columns = ("at", "environment", "measure", "n", "total", "most")
    statement = f"INSERT INTO trend (span, {', '.join(columns)}) VALUES ('hour', {', '.join(f':{name}' for name in columns)})"
    with site.deployment.database.begin() as connection:
        connection.execute(sa.text(statement), rows)


@contextmanager
def running_site(folder: Path, server: Server, sshd: Sshd) -> Iterator[WatchedSite]:
    """The installation while the block lasts."""
    url = server.url(server.new_database())
    for place in ("cms", "staging"):
        (folder / place).mkdir()
    people = folder / "people"
    people.touch(0o600)
    people.write_text("".join(f"{line_of(name, role, f'the word of {name}')}\n" for name, role in PASSWORDS.items()))
    with ExitStack() as stack:
        line = stack.enter_context(TcpProxy(sshd.port, rate=SLOW))
        config = folder / "slipway.toml"
        config.write_text("\n".join(toml(settings_of(folder, url, sshd, line.port))) + "\n")
        fresh(url)
        deployment = Deployment(config, url)
        stack.callback(deployment.stop)
        deployment.daemon()
        site = WatchedSite(folder, deployment, stack=stack)
        assert site.main_console
        fill(site)
        yield site


_STANDING = pytest.StashKey[tuple[WatchedSite, ExitStack]]()
_WANTED = pytest.StashKey[bool]()


@pytest.fixture
def watched_site(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, mariadb_server: Server, sshd: Sshd
) -> Iterator[WatchedSite]:
    """One for all tests that ask for it one after the other: its daemon and engines poll, beside whatever is tested after them."""
    stash = pytestconfig.stash
    if _STANDING not in stash:
        stack = ExitStack()
        stash[_STANDING] = stack.enter_context(running_site(tmp_path_factory.mktemp("watched"), mariadb_server, sshd)), stack
    yield stash[_STANDING][0]
    if not stash[_WANTED]:
        stash[_STANDING][1].close()
        del stash[_STANDING]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    item.config.stash[_WANTED] = isinstance(nextitem, pytest.Function) and "watched_site" in nextitem.fixturenames
