"""A whole installation in one folder and one thread: a site, an embedded queue, targets; tasks are executed one by one."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config import Secrets, Settings, queue_url
from database import Database, Desk, Intake, Lane, NewTask, State, Task, TaskView
from engines.lanes import lane_names
from engines.lease import Lease
from engines.workshop import Seams, Targets, Workshop
from packageslip import Packageslip, build_slip, write_slip
from support.deployment import digests, tree
from support.schema import fresh
from targets import MemoryFiles, Target, open_target
from tasks import needs

FOREVER = 3600.0


@dataclass
class Bench:
    """Insert rows, then `run`: every task that can be claimed is executed, in the order of the claims."""

    root: Path
    settings: Settings
    reached: Callable[[str], None] = lambda point: None
    wrap: Callable[[str, Target], Target] = lambda name, target: target
    memory: dict[str, MemoryFiles] = field(default_factory=dict)

    def __post_init__(self) -> None:
        url = queue_url(self.settings)
        fresh(url)
        self.database = Database.connect(url)
        self.desk, self.intake = Desk(self.database), Intake(self.database)
        self.workshops: dict[str, Workshop] = {}

    def workshop(self, environment: str) -> Workshop:
        """An engine of this environment, without threads."""
        if environment not in self.workshops:
            lease = Lease(self.settings.queue)
            workshop = Workshop(
                self.settings,
                self.settings.environments[environment],
                Secrets({}),
                self.database,
                None,  # type: ignore[arg-type]
                lease,
                Seams(self._open, self._reach),
            )
            workshop.engine = workshop.leases.register(environment, "host", "boot", 1, FOREVER, "test")
            lease.renewed(lease.clock() + FOREVER)
            self.workshops[environment] = workshop
        return self.workshops[environment]

    def _open(self, name: str, settings: Settings, secrets: Secrets) -> Target:
        return self.wrap(name, open_target(name, settings, secrets=secrets, memory=self.memory))

    def _reach(self, point: str) -> None:
        # Looked up anew each time: tests set it after the engine was made.
        self.reached(point)

    def insert(self, url: str, environment: str = "STAGING", action: str | None = None, **parameters: Any) -> int:
        return self.desk.insert(NewTask(url, environment, action, parameters=parameters))

    def claim(self, environment: str) -> list[Task]:
        while self.intake.accept(self.settings):
            pass
        workshop = self.workshop(environment)
        names = lane_names(workshop.environment, workshop.claims.waited_for(environment))
        urgent = [Lane(name, 8, urgent=True) for name in sorted(workshop.claims.waiting(environment).urgent)]
        others = [Lane(name, 8, needs(workshop.environment, name)) for name in names]
        # One after the other, as an engine does it: no claim has two lanes of one target.
        return workshop.claims.claim(workshop.engine, urgent) or workshop.claims.claim(workshop.engine, others)

    def run(self, environment: str = "STAGING") -> list[TaskView]:
        """Execute until nothing can be claimed; the tasks that were executed, in that order."""
        workshop, done = self.workshop(environment), []
        targets = Targets(workshop.open_target)
        while tasks := self.claim(environment):
            workshop.claims.start(workshop.engine, tasks)
            for task in tasks:
                result = workshop.carry_out(task, targets)
                assert result is not None, f"task {task.id} was fenced"
                assert not workshop.claims.finish(workshop.engine, [result]), f"task {task.id} was lost"
                done.append(task.id)
        targets.close()
        return [self.desk.show(task) for task in done]

    def do(self, url: str, environment: str = "STAGING", action: str | None = None, **parameters: Any) -> TaskView:
        """Insert one row and run; what became of it."""
        task = self.insert(url, environment, action, **parameters)
        self.run(environment)
        return self.desk.show(task)

    def well(self, url: str, environment: str = "STAGING", action: str | None = None, **parameters: Any) -> TaskView:
        """The same, which must succeed."""
        view = self.do(url, environment, action, **parameters)
        assert view.task.state is State.SUCCEEDED, f"{view.task.state}: {view.task.reason}"
        return view

    def target(self, name: str) -> Path:
        return self.root / "targets" / name

    def wipe(self, name: str) -> None:
        """Empty a target, and say that this was meant."""
        shutil.rmtree(self.target(name))
        self.target(name).mkdir()
        self.workshop("STAGING").open_target(name).adopt(self.database.queue_id)

    def live(self, name: str) -> dict[str, str]:
        """The files on a target, less slips and our own area: path to digest."""
        return digests(tree(self.target(name)))

    def site(self, url: str, name: str = "site") -> Path:
        return self.root / name / url.strip("/")

    def write(self, url: str, files: Mapping[str, str], **metadata: Any) -> Packageslip:
        """Make the module at the source exactly these files, with a slip that has digests."""
        folder = self.site(url)
        keep = {folder / path for path in files}
        for path in sorted(folder.rglob("*"), reverse=True) if folder.exists() else ():
            if path.is_dir():
                path.rmdir() if not any(path.iterdir()) else None
            elif path not in keep:
                path.unlink()
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        slip = build_slip(folder, url, **metadata)
        return self.put_slip(slip)

    def put_slip(self, slip: Packageslip) -> Packageslip:
        folder = self.site(slip.url)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "packageslip.xml").write_bytes(write_slip(slip))
        return slip

    def wanted(self, url: str) -> dict[str, str]:
        """The files of the module at the source, as `live` would list them on a target."""
        return {f"{url.strip('/')}/{path}": digest for path, digest in digests(tree(self.site(url))).items()}

    def anew(self) -> None:
        """Let the next task meet an engine that was started after all changes of the settings."""
        for workshop in self.workshops.values():
            workshop.sources.close()
            workshop.web.close()
        self.workshops.clear()

    def close(self) -> None:
        self.anew()
        self.database.close()


def settings_of(root: Path, **more: Any) -> Settings:
    """STAGING from a directory to `origin` with the holding area `area` for courses; PRODUCTION promotes to `production`."""
    places = {name: {"kind": "local", "root": str(root / "targets" / name)} for name in ("origin", "area", "production")}
    for place in places.values():
        Path(place["root"]).mkdir(parents=True, exist_ok=True)
    (root / "site").mkdir(exist_ok=True)
    table: dict[str, Any] = {
        "state_dir": str(root / "state"),
        "queue": {"poll": 0.05},
        "sources": {"cms": {"kind": "directory", "path": str(root / "site")}},
        "targets": places,
        "environments": {
            "STAGING": {
                "source": "cms",
                "origin": "origin",
                "holding_areas": [{"target": "area", "modules": {"types": ["course"]}}],
            },
            "PRODUCTION": {"source": "target:origin", "origin": "production", "views": "cms"},
        },
        "departments": {"8": "/courses/physics"},
    }
    (root / "state").mkdir(exist_ok=True)
    return Settings.model_validate(table | more)


def grouped(root: Path, quorum: int | None) -> Bench:
    """A bench whose origin is a group of two."""
    members = ["web1", "web2"]
    places = {name: {"kind": "local", "root": str(root / "targets" / name)} for name in (*members, "area", "production")}
    for name in places:
        (root / "targets" / name).mkdir(parents=True)
    origin = {"kind": "group", "members": members, "quorum": quorum}
    return Bench(root, settings_of(root, targets={"origin": origin, **places}))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, settings_of(tmp_path))
    yield made
    made.close()
