"""Two origins in a group and three holding areas, one of them behind a port that drops packets: nobody else notices.

In the suite the outage lasts some seconds. SLIPWAY_SICK_MINUTES=10 makes it last ten minutes, with waves of bigger modules all
the while, and prints how long they took beside those before and after it.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from packageslip import build_slip, write_slip
from support.deployment import Deploy, Deployment, digests, eventually, tree
from support.dropping_port import DroppingPort
from support.sshd import Account, StartSshd

# Taken out of the environment, for the daemon would call it a misspelt setting.
MINUTES = float(os.environ.pop("SLIPWAY_SICK_MINUTES", "0"))
LONG = MINUTES > 0
MODULES, FILES, SIZE = (40, 8, 20_000) if LONG else (6, 3, 500)
CALM = MINUTES * 60 / 20
"""Seconds of waves without an outage, before it and after it."""
HEALTHY = ("origins", "download", "mirror")


@dataclass
class Ward:
    """The installation, its CMS's folder, the trees of its targets, and the port in front of the sick one."""

    deployment: Deployment
    cms: Path
    trees: Mapping[str, Path]
    port: DroppingPort
    waves: int = 0
    took: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from the first row to the end of the last healthy task of each wave, by what was going on."""

    def wave(self, meanwhile: str) -> list[int]:
        """Change every module, publish it, and wait for every task but those of the sick area. The publish tasks."""
        self.waves += 1
        for number in range(MODULES):
            write_module(self.cms, number, self.waves)
        began = time.monotonic()
        roots = [self.deployment.insert(f"/courses/c{number}", "STAGING") for number in range(MODULES)]
        eventually(lambda: self.healthy_done(roots), 300, f"the end of wave {self.waves}")
        self.took.setdefault(meanwhile, []).append(time.monotonic() - began)
        return roots

    def healthy_done(self, roots: list[int]) -> bool:
        assert all(process.poll() is None for process in self.deployment.processes), self.deployment.tail()
        states = [row["status"] for row in self.tasks(roots) if row["target"] != "sick"]
        assert not {"FAILED", "HELD", "REJECTED"} & set(states), self.deployment.tail()
        return len(states) == len(HEALTHY) * len(roots) and set(states) == {"SUCCEEDED"}

    def tasks(self, roots: list[int]) -> list[Mapping[str, Any]]:
        """Each publish with the deliveries that it asked for."""
        return self.deployment.rows(
            "SELECT * FROM publication_task_queue WHERE id BETWEEN :first AND :last OR parent BETWEEN :first AND :last",
            first=roots[0],
            last=roots[-1],
        )

    def sick(self) -> list[Mapping[str, Any]]:
        return self.deployment.rows("SELECT * FROM publication_task_queue WHERE target = 'sick' ORDER BY id")

    def attempts(self, target: str) -> list[Mapping[str, Any]]:
        return self.deployment.rows(
            "SELECT attempt.* FROM attempt JOIN publication_task_queue ON task = id WHERE target = :target ORDER BY claimed_at",
            target=target,
        )

    def database_time(self) -> Any:
        return self.deployment.rows("SELECT UTC_TIMESTAMP(6) AS now")[0]["now"]


def write_module(cms: Path, number: int, wave: int) -> None:
    url = f"/courses/c{number}"
    folder = cms / url[1:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.htm").write_text(f"<h1>course {number}, wave {wave}</h1>", encoding="utf-8")
    for name in range(1, FILES):
        (folder / f"file{name}.bin").write_bytes(f"{number} {name} {wave} ".encode() * (SIZE // 10))
    (folder / "packageslip.xml").write_bytes(write_slip(build_slip(folder, url)))


@pytest.fixture
def ward(
    tmp_path: Path,
    start_sshd: StartSshd,
    dropping_port: Callable[[int], DroppingPort],
    mariadb_url: str,
    deploy: Deploy,
) -> Ward:
    ssh = start_sshd()
    port = dropping_port(ssh.port)
    sites = {name: ssh.fresh_site() for name in ("one", "two", "download", "mirror", "sick")}

    def sftp(account: Account, number: int) -> dict[str, object]:
        return {
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": number,
            "user": account.user,
            "key": account.key,
            "root": account.remote_root,
            "host_key": ssh.host_key,
            "durability": "none",
            "connect_timeout": 15 if LONG else 1,
            "idle_timeout": 60 if LONG else 2,
        }

    targets: dict[str, object] = {
        name: sftp(account, port.port if name == "sick" else ssh.port) for name, account in sites.items()
    }
    targets["origins"] = {"kind": "group", "members": ["one", "two"]}
    configuration = {
        "state_dir": str(tmp_path / "state"),
        "queue": {"url": mariadb_url, "poll": 0.1},
        "retry": {"base": 1, "breaker": 5 if LONG else 0.5, "cap": 30 if LONG else 2, "max_attempts": 2},
        "sources": {"cms": {"kind": "directory", "path": str(tmp_path / "cms")}},
        "targets": targets,
        "environments": {
            "STAGING": {
                "source": "cms",
                "origin": "origins",
                "holding_areas": [{"target": "download"}, {"target": "mirror"}, {"target": "sick"}],
            }
        },
    }
    deployment = deploy(tmp_path / "slipway.toml", configuration)
    return Ward(deployment, tmp_path / "cms", {name: account.root for name, account in sites.items()}, port)


@pytest.mark.timeout(300 + MINUTES * 60 * 3)
def test_a_holding_area_whose_packets_are_dropped_delays_nothing_but_itself(ward: Ward) -> None:
    ward.deployment.daemon()
    ward.wave("first, with all that starts then")
    if LONG:
        waves_for(ward, CALM, "before")
    ward.deployment.quiet(300)
    assert digests(tree(ward.trees["sick"])) == digests(tree(ward.cms))

    assert not failed(ward)
    ward.port.drop()
    before = {row["id"] for row in ward.sick()}
    waves = waves_for(ward, MINUTES * 60, "during")
    # It was asked more than once, so the tasks that wait are behind a breaker that was probed.
    eventually(lambda: len(failed(ward)) > 1, 120, "a second look at the sick area")
    assert ward.port.drops()
    unreached = ward.database_time()
    tell_of_waves(ward)
    nothing_waited_for_the_sick_one(ward, waves, unreached)
    no_attempt_was_spent(ward, before)
    assert digests(tree(ward.trees["sick"])) != digests(tree(ward.cms))
    mended = time.monotonic()
    ward.port.mend()

    ward.deployment.quiet(300)
    arrived = time.monotonic() - mended
    for name, root in ward.trees.items():
        assert digests(tree(root)) == digests(tree(ward.cms)), name
    late = [row for row in ward.sick() if row["id"] not in before]
    assert {row["status"] for row in late} <= {"SUCCEEDED", "SUPERSEDED"}
    assert {row["attempts"] for row in late if row["status"] == "SUCCEEDED"} == {1}
    assert all(row["finished_at"] >= unreached for row in late if row["status"] == "SUCCEEDED")
    waves_for(ward, CALM, "after")
    tell(ward, arrived)


def waves_for(ward: Ward, seconds: float, meanwhile: str) -> list[list[int]]:
    """One wave, and more as long as the time is not over."""
    until = time.monotonic() + seconds
    waves = [ward.wave(meanwhile)]
    while time.monotonic() < until:
        waves.append(ward.wave(meanwhile))
    return waves


def failed(ward: Ward) -> list[Mapping[str, Any]]:
    return [attempt for attempt in ward.attempts("sick") if attempt["outcome"] == "UNREACHABLE"]


def nothing_waited_for_the_sick_one(ward: Ward, waves: list[list[int]], unreached: Any) -> None:
    """Every healthy task of the outage ran once, to its end, while not one of the sick area's came through."""
    for roots in waves:
        healthy = [row for row in ward.tasks(roots) if row["target"] != "sick"]
        assert {row["target"] for row in healthy} == set(HEALTHY)
        assert all(row["finished_at"] < unreached and row["attempts"] == 1 for row in healthy)
    for target in HEALTHY:
        assert {attempt["outcome"] for attempt in ward.attempts(target)} == {"SUCCEEDED"}


def no_attempt_was_spent(ward: Ward, before: set[int]) -> None:
    waiting = [row for row in ward.sick() if row["id"] not in before]
    assert len(waiting) >= MODULES
    assert {row["status"] for row in waiting} <= {"READY", "RUNNING", "SUPERSEDED"}
    # An attempt counts from its claim and is given back at its end: a probe that is under way has not got it back yet, and
    # to one that a newer task replaced meanwhile it is of no use any more.
    assert {row["attempts"] for row in waiting if row["status"] == "READY"} == {0}
    assert all(row["attempts"] <= 1 for row in waiting)


def tell(ward: Ward, arrived: float) -> None:
    """What a run without the outage took, and one with it: for people, and not judged here."""
    tell_of_waves(ward)
    calm = [*ward.took.get("before", ()), *ward.took["after"]]
    ratio = statistics.median(ward.took["during"]) / statistics.median(calm)
    print(f"during / without: {ratio:.3f} by medians; all had arrived {arrived:.1f} s after the port answered again")
    print(f"probes of the sick area that failed: {len(failed(ward))}; its tasks: {len(ward.sick())}")


def tell_of_waves(ward: Ward) -> None:
    for meanwhile, took in ward.took.items():
        print(
            f"{meanwhile}: {len(took)} waves of {MODULES} modules, median {statistics.median(took):.2f} s, longest {max(took):.2f} s"
        )
