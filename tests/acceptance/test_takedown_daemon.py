"""A takedown overtakes, under the real daemon, a publish of the very module that is at work over SFTP: nothing stays, nothing comes back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packageslip import build_slip, write_slip
from support.deployment import Deploy, Deployment, eventually, tree
from support.http_cms import Cms
from support.purge_server import PurgeServer
from support.sshd import Account, Sshd

A, OTHER = "/courses/physics/8-01", "/courses/physics/8-02"
LAST = f"{A}/z.pdf"


@dataclass
class Holdup:
    """The CMS does not answer for one path until it is let go."""

    path: str = ""

    def __post_init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def before(self, path: str) -> None:
        if path == self.path:
            self.asked.set()
            self.go.wait(120)


def write(folder: Path, url: str, word: str) -> None:
    place = folder / url.strip("/")
    place.mkdir(parents=True, exist_ok=True)
    for name in ("index.htm", "l1.pdf", "l2.pdf", "z.pdf"):
        (place / name).write_text(f"{word} {url} {name}")
    (place / "packageslip.xml").write_bytes(write_slip(build_slip(place, url, module_type="course", title=url)))


@pytest.fixture
def holdup() -> Iterator[Holdup]:
    made = Holdup()
    yield made
    made.go.set()


@pytest.fixture
def origin(sshd: Sshd) -> Account:
    return sshd.fresh_site()


@pytest.fixture
def deployment(
    tmp_path: Path,
    cms: Callable[..., Cms],
    holdup: Holdup,
    sshd: Sshd,
    origin: Account,
    purge_server: PurgeServer,
    mariadb_url: str,
    deploy: Deploy,
) -> Deployment:
    """One module on STAGING and on PRODUCTION, each behind a cache, and another one beside it."""
    for url in (A, OTHER):
        write(tmp_path / "cms", url, "old")
    server = cms(tmp_path / "cms")
    server.before = holdup.before
    (tmp_path / "www").mkdir()
    settings = {name: value for name, value in sshd.settings().model_dump(exclude_unset=True).items() if value is not None}
    place = {"site": "https://www.example.edu", "notices": ["cache"]}
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1},
        "sources": {"cms": {"kind": "http", "url": server.url}},
        "targets": {
            "staging": settings | {"root": origin.remote_root, "durability": "none"},
            "www": {"kind": "local", "root": str(tmp_path / "www"), "durability": "none"},
        },
        "environments": {
            "STAGING": {"source": "cms", "origin": "staging", **place},
            "PRODUCTION": {"source": "target:staging", "origin": "www", **place},
        },
        "notices": {"cache": {"kind": "purge", "url": purge_server.url, "soft": True}},
    }
    return deploy(tmp_path / "slipway.toml", configuration)


def publish(deployment: Deployment, url: str, *environments: str) -> None:
    for environment in environments or ("STAGING", "PRODUCTION"):
        task = deployment.settled(deployment.insert(url, environment))
        assert task["status"] == "SUCCEEDED", task["reason"]


def test_a_takedown_overtakes_the_publish_that_is_at_work(
    deployment: Deployment, origin: Account, holdup: Holdup, purge_server: PurgeServer, tmp_path: Path
) -> None:
    roots = (origin.root, tmp_path / "www")
    deployment.daemon()
    for url in (OTHER, A):
        publish(deployment, url)
    deployment.quiet()  # what tells the caches of them comes after them
    beside = [path for path in tree(roots[0]) if not path.startswith(A[1:])]

    write(tmp_path / "cms", A, "new")
    holdup.path = LAST
    running = deployment.insert(A, "STAGING")
    assert holdup.asked.wait(90), deployment.tail()
    waiting = deployment.insert(A, "PRODUCTION", hold=1)
    eventually(lambda: deployment.task(waiting)["status"] == "READY", 60, "intake")
    purge_server.asked.clear()

    down = deployment.settled(deployment.insert(A, "*", action="TAKEDOWN", requested_by="ana"))
    assert (down["status"], down["reason"]) == ("SUCCEEDED", "Gone from all 2 targets: staging, www."), down
    assert [sorted(tree(root)) for root in roots] == [beside, beside]
    assert {deployment.task(number)["status"] for number in (running, waiting)} == {"CANCELLED"}

    # Whoever slept through it goes on, and brings nothing back.
    holdup.go.set()
    eventually(lambda: f"{A}/l1.pdf" in purge_server.urls(), 60, "the purge")
    deployment.quiet()
    assert [sorted(tree(root)) for root in roots] == [beside, beside]
    assert not [asked.path for asked in purge_server.asked if "Fastly-Soft-Purge" in asked.headers]
    assert deployment.settled(deployment.insert(A, "STAGING"))["status"] == "REJECTED"
    publish(deployment, OTHER, "STAGING")

    lifted = deployment.settled(deployment.insert(A, "*", action="TAKEDOWN", parameters='{"lift": true}'))
    assert lifted["status"] == "SUCCEEDED", lifted["reason"]
    publish(deployment, A)
    for root in roots:
        assert (root / A[1:] / "z.pdf").read_text() == f"new {A} z.pdf"
