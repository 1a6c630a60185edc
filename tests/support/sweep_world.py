"""A small installation that is put back as it was in a few milliseconds, and everything that can be seen of it.

A sweep breaks it thousands of times. Whatever was done to it, once a last engine ran undisturbed it must look as if nothing had
happened: `seen` is compared with what an undisturbed run left.
"""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import text

from config import GroupTarget, Secrets, Settings, queue_url
from database import Desk, Leases, NewTask, Record, upgrade
from engines.workshop import Seams
from packageslip import build_slip, read_slip, write_slip
from store import Store
from support.kill_points import WatchedDatabase
from support.sftp_pipe import plain
from support.straight_engine import Tooling, run_straight
from targets import Target, open_target
from targets.sftp import disk as sftp_disk

URL, OTHER = "/courses/a", "/courses/b"
Files = Mapping[str, str]
Leaf = tuple[str, int, int, str]
"""Kind, mode, time and digest of one name."""
KEPT = {f"same{n}.htm": f"same {n}" for n in range(3)}
BEFORE: Files = {"index.htm": "old", "old.pdf": "x", "turn": "file", "box/in.png": "folder"} | KEPT
AFTER: Files = {"index.htm": "new", "img/new.png": "p", "turn/in.htm": "folder", "box": "file"} | KEPT
"""Changed, added, removed, a file that becomes a folder and a folder that becomes a file; the rest stays."""
_TAG = re.compile(r"\d{19}\.[0-9a-f]{8}=")
"""The front of a release's name, which has a nonce in it."""
MTIME = 1_700_000_000
"""Long ago, so that a file whose time nobody set shows."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the module was before, and what one task shall make of it."""

    name: str
    before: Files | None
    after: Files | None
    action: str = "PUBLISH"
    also: Sequence[str] = ()
    """Other modules at the source."""
    prepare: Callable[["World"], None] = lambda world: None
    """What else is so before the task is carried out."""
    url: str = URL
    collects: bool = False
    """Whether the content store is collected just before."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """More of the origin's settings."""
    counted: bool = False
    """Whether the slip's serial counts the claims of other tasks too, and so the kills."""
    mourned: bool = False
    """Whether an engine died over a task of it before: after a third death that task counts as poison, and is not tried again."""


FIRST = Scenario("first publish", None, BEFORE)
CHANGE = Scenario("publish", BEFORE, AFTER)
WITHDRAW = Scenario("unpublish", BEFORE, None, "UNPUBLISH")


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is afterwards: public trees, commit records, residue, the queue, the record."""

    trees: Mapping[str, Mapping[str, Leaf]]
    """Of each target."""
    slips: Mapping[tuple[str, str], str]
    """Commit records; a holding area's without its serial, which counts the claims."""
    residue: frozenset[str]
    tasks: Mapping[tuple[str, str, str], tuple[str, int]]
    """(url, action, target) -> state, how many attempts succeeded."""
    recorded: frozenset[tuple[str, str]]


class World:
    """One installation below a folder: `live` is the one at work, `pristine` what it is put back to."""

    def __init__(self, folder: Path, scenario: Scenario, place: Mapping[str, Any], *, delivers: bool = True) -> None:
        """`place`: more of the origin's settings; `delivers`: whether the holding area takes the module."""
        self.folder, self.scenario = folder, scenario
        self.live, self._pristine = folder / "live", folder / "pristine"
        for path in ("site", "targets/origin", "targets/area", "state"):
            (self.live / path).mkdir(parents=True)
        self._types = ["course"] if delivers else ["department"]
        self.settings = self._settings({**place, **scenario.more})
        upgrade(queue_url(self.settings), None)
        # Made once: what SQLAlchemy has compiled is what a fork inherits, and connections it opens for itself.
        self.database = WatchedDatabase.connect(queue_url(self.settings))
        origin = self.settings.targets["origin"]
        self.targets: Sequence[str] = (*origin.members, "area") if isinstance(origin, GroupTarget) else ("origin", "area")
        """Whatever has a tree of its own."""
        self._prepare()
        self.keep()

    def _settings(self, place: Mapping[str, Any]) -> Settings:
        return settings_of(self.live, place, self._types)

    def keep(self) -> None:
        """Remember what to put back."""
        shutil.copytree(self.live, self._pristine, symlinks=True)

    def _prepare(self) -> None:
        scenario = self.scenario
        for url in (URL, *scenario.also):
            if scenario.before is not None:
                self.write(url, scenario.before)
                self.insert(url, "PUBLISH")
        self.run()
        states = dict(self._rows("SELECT status, count(*) FROM publication_task_queue GROUP BY status"))
        assert states.keys() <= {"SUCCEEDED"}, f"the world before the task could not be made: {states}"
        for url in (URL, *scenario.also):
            if scenario.after is not None:
                self.write(url, scenario.after)
        scenario.prepare(self)
        self.insert(scenario.url, scenario.action)

    def write(self, url: str, files: Files) -> None:
        folder = self.live / "site" / url.strip("/")
        shutil.rmtree(folder, ignore_errors=True)
        for name, words in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(words)
            os.utime(folder / name, (MTIME, MTIME))
        slip = build_slip(folder, url, module_type="course")
        (folder / "packageslip.xml").write_bytes(write_slip(slip))

    def insert(self, url: str, action: str) -> int:
        with closing(self.database) as database:
            return Desk(database).insert(NewTask(url, "STAGING", action))

    def run(self, tooling: Tooling | None = None) -> None:
        """One engine until it is idle, in this process."""
        # However little it is here, what can go by a stream does.
        with mock.patch.object(sftp_disk, "MANY", 1):
            run_straight(self.settings, "STAGING", replace(tooling or Tooling(Seams(_opened)), connect=lambda _: self.database))

    def reset(self) -> None:
        """Put everything back as it was before the task was carried out."""
        shutil.rmtree(self.live)
        shutil.copytree(self._pristine, self.live, symlinks=True)
        # What an engine asks once, each engine asks.
        self.database._queue_id = None

    def seen(self) -> Seen:
        """Everything that counts. Raises AssertionError where parts of it contradict each other."""
        with closing(self.database) as database:
            record = Record(database)
            slips, residue, recorded = {}, set(), set()
            for target in self.targets:
                for path in sorted((self.live / "targets" / target / ".slipway").rglob("*")):
                    if path.name == "slip.xml" and not path.is_symlink():
                        slip = read_slip(path.read_bytes(), str(path))
                        known = record.current(self._recorded(target), slip.url)
                        assert known, f"the record does not know that {slip.url} is live on {target}"
                        assert (known.version, known.serial) == (slip.version, slip.serial), f"the record of {target} is wrong"
                        slips[target, slip.url] = self._bare(path.read_text(), target)
                        recorded.add((target, slip.url))
                    elif _is_residue(path):
                        residue.add(str(path.relative_to(self.live)))
                for url in (URL, *self.scenario.also):
                    assert record.current(self._recorded(target), url) is None or (target, url) in recorded, (
                        f"the record thinks {url} is live"
                    )
        self._check_store()
        return Seen(self.trees(), slips, frozenset(residue), self._tasks(), frozenset(recorded))

    def _recorded(self, target: str) -> str:
        """What the record knows a target by: a group as a whole."""
        return target if target == "area" else "origin"

    def trees(self) -> dict[str, dict[str, Leaf]]:
        """What visitors of each target see."""
        return {target: self._tree(target) for target in self.targets}

    def states(self) -> dict[int, str]:
        """The state of each task."""
        return dict(self._rows("SELECT id, status FROM publication_task_queue ORDER BY id"))

    def ends(self) -> list[tuple[str, str, str | None]]:
        """State, reason and last error of each task."""
        last = "(SELECT error FROM attempt a WHERE a.task = q.id ORDER BY a.fence DESC LIMIT 1)"
        return self._rows(f"SELECT status, coalesce(reason, ''), {last} FROM publication_task_queue q")

    def bury(self) -> None:
        """This very process was the engine: nobody else would know that it is at work no more."""
        with closing(self.database) as database:
            leases = Leases(database)
            for view in leases.engines():
                leases.bury(view.engine.start)

    def _rows(self, statement: str) -> list[Any]:
        with closing(self.database) as database:
            return database.look(lambda connection: [tuple(row) for row in connection.execute(text(statement))])

    def _tasks(self) -> dict[tuple[str, str, str], tuple[str, int]]:
        rows = self._rows(
            "SELECT q.url, q.action, coalesce(q.target, ''), q.status, q.id,"
            " (SELECT count(*) FROM attempt a WHERE a.task = q.id AND a.outcome = 'SUCCEEDED')"
            " FROM publication_task_queue q ORDER BY q.id"
        )
        found: dict[tuple[str, str, str], tuple[str, int]] = {}
        for url, action, target, status, id_, succeeded in rows:
            key = (url, f"{action} {len([k for k in found if k[0] == url and k[1].startswith(action)])}", target)
            assert succeeded <= 1, f"task {id_} succeeded {succeeded} times"
            found[key] = (status, succeeded)
        return found

    def _bare(self, document: str, target: str) -> str:
        counts = self.scenario.counted or target != "origin"
        return re.sub(r'serial="\d+"', "", document) if counts else document

    def _tree(self, target: str) -> dict[str, Leaf]:
        """The public tree: every folder and file, with mode, time and digest."""
        root = self.live / "targets" / target
        found: dict[str, Leaf] = {}
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root)
            if ".slipway" in relative.parts:
                continue
            status = path.lstat()
            shown = _TAG.sub("*=", str(relative))
            kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
            public = path.name in {"packageslip.xml", "release.xml"}
            # Its own time is the moment of writing; every other file's time comes from the slip.
            moment = int(status.st_mtime) if kind == "file" and not public else 0
            said = (
                path.read_bytes() if kind == "file" else _TAG.sub("*=", str(path.readlink())).encode() if kind == "link" else b""
            )
            said = self._bare(said.decode(), target).encode() if public else said
            found[shown] = (kind, stat.S_IMODE(status.st_mode), moment, hashlib.sha256(said).hexdigest())
        return found

    def _check_store(self) -> None:
        store = Store(self.live / "state" / "store")
        broken = [digest.hex() for digest in store.digests() if not store.verify(digest)]
        assert not broken, f"the store has blobs whose bytes are not theirs: {broken}"


def _opened(name: str, settings: Settings, secrets: Secrets) -> Target:
    """Targets over SFTP are reached without SSH."""
    target = open_target(name, settings, secrets=secrets)
    if settings.targets[name].kind == "sftp":
        target._disk._lanes.connecting = plain()  # type: ignore[attr-defined]
    return target


def settings_of(root: Path, place: Mapping[str, Any], types: Sequence[str] = ("course",)) -> Settings:
    """STAGING from a directory to `origin`, with the holding area `area` for these types of modules. `place`: more of the origin's settings."""
    local = {"kind": "local", "verify": "readback"}
    origin = {**local, "root": str(root / "targets/origin"), **place}
    members: Mapping[str, Any] = {name: {**local, "root": str(root / "targets" / name)} for name in place.get("members", ())}
    if members:
        origin = dict(place)
    for name in members:
        (root / "targets" / name).mkdir(exist_ok=True)
    return Settings.model_validate(
        {
            "state_dir": str(root / "state"),
            "queue": {"poll": 0.05},
            "retry": {"base": 0.02, "cap": 0.02, "breaker": 0.02, "max_attempts": 50},
            "sources": {"cms": {"kind": "directory", "path": str(root / "site")}},
            "targets": {"origin": origin, "area": {"kind": "local", "root": str(root / "targets/area")}, **members},
            "environments": {
                "STAGING": {
                    "source": "cms",
                    "origin": "origin",
                    "holding_areas": [{"target": "area", "modules": {"types": list(types)}}],
                }
            },
        }
    )


def _is_residue(path: Path) -> bool:
    """What our area holds at rest: folders of modules, one empty folder of the last holder for each, and commit records."""
    return path.is_file() or path.is_symlink() or path.parent.name == "new"
