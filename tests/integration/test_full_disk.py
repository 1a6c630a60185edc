"""A disk that is full, a real one, wherever Slipway writes: it says so in words for a person, nothing is torn, the task is tried again,
and once there is room one run leaves the tree of an undisturbed one."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import structlog
from sqlalchemy import text

from config import Secrets, Settings
from database import DatabaseUnavailable
from engines.workshop import Seams
from packageslip import write_slip
from reliability.fail_sweep import VERSIONED, impatient
from sources import TransientSourceError
from sources.http import HttpSource
from support.http_cms import Cms
from support.physics import SLIP, URL, make_site, put
from support.small_disk import SmallDisk, small_disk
from support.sshd import Sshd
from support.straight_engine import Tooling
from support.sweep_world import CHANGE, Leaf, World, _opened
from targets import Target, open_target

LONG = 0.4
"""Seconds that an engine goes on while there is no room for its own queue."""
Trees = Mapping[str, Mapping[str, Leaf]]


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    with impatient():
        yield
    structlog.reset_defaults()


def files(trees: Trees) -> dict[str, dict[str, Leaf]]:
    """Less slips, in which the queue is named, and the ballast."""
    left_out = ("packageslip.xml", "release.xml", "ballast")
    return {name: {path: leaf for path, leaf in tree.items() if not path.endswith(left_out)} for name, tree in trees.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """A world that is about to change, and what it shall be."""

    world: World
    before: Trees
    after: Trees
    opened: Callable[..., Target] = _opened

    def failed(self) -> bool:
        """Whether a task failed for it, and waits."""
        return any(state == "READY" and error is not None for state, _, error in self.world.ends())

    def run_short(self, disk: SmallDisk, pages: int, enough: Callable[[], bool] | None = None) -> None:
        """An engine with room for so many pages, until a task has failed for it. Visitors see old or new files, none torn."""
        disk.fill(pages)
        with closing(self.world.database), suppress(TimeoutError, DatabaseUnavailable):
            self.world.run(Tooling(Seams(self.opened), enough=enough or self.failed))
        trees = files(self.world.trees())
        for name, tree in trees.items():
            for path, leaf in tree.items():
                either = {self.before[name].get(path), self.after[name].get(path)}
                assert leaf[0] != "file" or leaf[3] in {one[3] for one in either if one}, f"{name}: {path} is torn"

    def reasons(self) -> list[str]:
        """Why tasks are not done. None of them was given up, and nobody has to wait for a person."""
        ends = self.world.ends()
        assert {state for state, _, _ in ends} <= {"NEW", "READY", "SUCCEEDED"}, ends[-1]
        assert not [reason for _, reason, _ in ends if "fault of Slipway itself" in reason], ends
        return [reason for state, reason, _ in ends if state == "READY"]

    def run_freely(self, disk: SmallDisk, opened: Callable[..., Target] = _opened) -> None:
        """There is room again: one run ends all."""
        disk.free()
        self.world.bury()
        now = text("UPDATE publication_task_queue SET run_after = '2000-01-01 00:00:00.000000' WHERE status = 'READY'")
        self.world.database.change(lambda connection: connection.execute(now))
        self.world.run(Tooling(Seams(opened)))
        assert files(self.world.trees()) == self.after
        seen = self.world.seen()
        assert {state for state, _ in seen.tasks.values()} == {"SUCCEEDED"}
        residue = [path for path in seen.residue if not path.endswith(("/ballast", ".trash"))]
        assert residue == [], residue


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Trees, Trees]]:
    """What the trees are before the task and after it, in a world of this layout that nobody disturbs."""

    @lru_cache
    def trees(layout: str) -> tuple[Trees, Trees]:
        world = World(tmp_path_factory.mktemp("quiet"), CHANGE, VERSIONED if layout == "versioned" else {})
        before = files(world.trees())
        with impatient():
            world.run()
        return before, files(world.trees())

    return trees


@pytest.fixture
def make(tmp_path: Path, quiet: Callable[[str], tuple[Trees, Trees]]) -> Callable[..., Place]:
    """make(place) -> a world in which a task that fails stays as it is; an equal one says what it shall be."""

    def made(place: Mapping[str, Any]) -> Place:
        world = World(tmp_path / "world", CHANGE, place)
        table = world.settings.model_dump(mode="json")
        table["retry"] |= {"base": 1000, "cap": 1000}
        world.settings = Settings.model_validate(table)
        return Place(world, *quiet(str(place.get("layout"))))

    return made


@pytest.mark.parametrize(("place", "pages"), [({}, 0), ({}, 3), (VERSIONED, 5)])
def test_a_local_target_that_fills_up_at_any_point(make: Callable[..., Place], place: Mapping[str, Any], pages: int) -> None:
    at = make(place)
    with small_disk(at.world.live / "targets" / "origin") as disk:
        at.run_short(disk, pages)
        reasons = at.reasons()
        assert all("origin" in reason and "make room there" in reason for reason in reasons), reasons
        assert reasons or pages > 0
        at.run_freely(disk)


@pytest.mark.parametrize("pages", [3])
@pytest.mark.parametrize("transfer", ["sftp", "stream"])
def test_a_server_over_ssh_that_fills_up(
    make: Callable[..., Place], sshd: Sshd, monkeypatch: pytest.MonkeyPatch, transfer: str, pages: int
) -> None:
    monkeypatch.setattr("targets.sftp.disk.MANY", 1)
    site = sshd.fresh_site()
    at = make({"kind": "sftp", "host": "127.0.0.1", "user": "anybody", "key": "/nonexistent", "transfer": "sftp"})

    def over_ssh(settings: Settings) -> Settings:
        table = settings.model_dump(mode="json")
        table["targets"]["origin"] = sshd.settings(root=site.remote_root, transfer=transfer).model_dump(
            mode="json", exclude_unset=True
        )
        return Settings.model_validate(table)

    origin = at.world.live / "targets" / "origin"
    owner = site.root.stat()
    subprocess.run(["cp", "-a", f"{origin}/.", site.root], check=True)
    subprocess.run(["chown", "-R", f"{owner.st_uid}:{owner.st_gid}", site.root], check=True)
    shutil.rmtree(origin)
    origin.symlink_to(site.root)
    with small_disk(site.root) as disk:
        ssh = Place(at.world, at.before, at.after, open_target_plainly)
        ssh.world.settings = over_ssh(at.world.settings)
        ssh.run_short(disk, pages)
        reasons = ssh.reasons()
        assert reasons
        assert all("origin" in reason and "ake room there" in reason for reason in reasons), reasons
        ssh.run_freely(disk, opened=open_target_plainly)


def open_target_plainly(name: str, settings: Settings, secrets: Secrets) -> Target:
    return open_target(name, settings, secrets=secrets)


@pytest.mark.parametrize("pages", [1])
def test_a_content_store_without_room(make: Callable[..., Place], pages: int) -> None:
    at = make({})
    with small_disk(at.world.live / "state" / "store") as disk:
        at.run_short(disk, pages)
        [reason] = at.reasons()
        assert "no room in the content store" in reason
        assert "slipway store gc" in reason
        at.run_freely(disk)


@pytest.mark.parametrize("pages", [0, 30])
def test_a_state_folder_without_room(make: Callable[..., Place], pages: int) -> None:
    """The queue is there too: what cannot be written down is not begun, or done again, and never lost."""
    at = make({})
    with small_disk(at.world.live / "state") as disk:
        end = time.monotonic() + LONG
        at.run_short(disk, pages, lambda: time.monotonic() > end)
        at.run_freely(disk)


def test_the_queue_says_that_its_disk_is_full(make: Callable[..., Place]) -> None:
    at = make({})
    with small_disk(at.world.live / "state") as disk:
        disk.fill()
        with closing(at.world.database), pytest.raises(DatabaseUnavailable, match=r"full.*[Mm]ake room"):
            _insert_many(at.world)
        at.run_freely(disk)


def _insert_many(world: World) -> None:
    """More than fits into what SQLite has allotted already."""
    for number in range(100):
        world.insert(f"/courses/{number}", "PUBLISH")


def test_no_room_for_temporary_files(tmp_path: Path, cms: Callable[..., Cms], open_http: Callable[..., HttpSource]) -> None:
    site = make_site(tmp_path / "site")
    put(site, "packageslip.xml", write_slip(SLIP) + b" " * 6_000_000)
    source = open_http(cms(site))
    aside = tmp_path / "temporary"
    aside.mkdir()
    with small_disk(aside) as disk, mock.patch.object(tempfile, "tempdir", str(aside)):
        disk.fill(20)
        with pytest.raises(TransientSourceError, match=r"no room for a temporary file in .*make room there") as caught:
            source.slip(URL)
        assert type(caught.value) is TransientSourceError, "the source is not to blame, and its breaker stays closed"
        disk.free()
        assert source.slip(URL) == SLIP
        assert list(aside.iterdir()) == []
