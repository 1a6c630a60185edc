"""A site whose courses are retired: a CMS over HTTP, STAGING with a holding area for DSpace, DSPACE, and a fake archive."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from config import Settings
from database import Deposit, Deposits, DepositState, State, TaskView
from support.bench import Bench
from support.http_cms import Cms
from support.sword_server import ACCOUNT, Rules, SwordServer

COURSE = "/courses/a"
FILES = {
    "index.htm": "<html><head><title>A</title></head><body><a href='notes/l1.pdf'>one</a></body></html>",
    "notes/l1.pdf": "%PDF one",
}
EDITOR = ("editor", "open sesame")
TELL = "$url/set_dspace_handle/hdl://$handle"


@dataclass
class Retirement:
    """A bench with everything that RETIRE needs."""

    bench: Bench
    cms: Cms
    archive: SwordServer

    def stage(self, url: str = COURSE, **files: str) -> None:
        """Publish a course on staging, and with it into the holding area that RETIRE reads."""
        self.bench.write(
            url,
            FILES | {"about.htm": url} | files,
            module_type="course",
            module_short_id=f"{url.rpartition('/')[2]}-fall-1999",
            department_code="8",
            title="A <course>",
            state="published",
            modified=1_394_412_946,
        )
        self.bench.well(url)

    def deposit(self, url: str = COURSE) -> Deposit:
        found = Deposits(self.bench.database).current(url)
        assert found is not None
        return found

    def told(self, url: str = COURSE) -> list[str]:
        """The handles that the CMS was told."""
        start = f"{url}/set_dspace_handle/hdl://"
        return [unquote(each.path).removeprefix(start) for each in self.cms.log if each.path.startswith(start)]

    def retired(self) -> dict[str, str]:
        """The retired-courses area: path to digest."""
        return self.bench.live("retired")

    def again(self, run: Callable[[], object], done: Callable[[], bool], seconds: float = 60) -> None:
        """Run until it is done; what waits for its time is waited for."""
        deadline = time.monotonic() + seconds
        run()
        while not done():
            assert time.monotonic() < deadline, "it never ended"
            time.sleep(0.1)
            self.hurry()
            run()

    def hurry(self) -> None:
        """Let no task wait for its next try, as an operator may."""
        statement = sa.text("UPDATE publication_task_queue SET run_after = created_at WHERE status = 'READY'")
        self.bench.database.change(lambda connection: connection.execute(statement))


def settings_of(root: Path, cms: str, archive: SwordServer, *, kind: str = "sword2", **retire: Any) -> Settings:
    names = ("origin", "production", "area", "dspace", "retired")
    places = {name: {"kind": "local", "root": str(root / "targets" / name)} for name in names}
    for place in places.values():
        Path(place["root"]).mkdir(parents=True, exist_ok=True)
    (root / "state").mkdir(exist_ok=True)
    (root / "password").write_text(ACCOUNT[1])
    (root / "editor").write_text(EDITOR[1])
    version = "v1" if kind == "sword1" else "v2"
    lookup = retire.pop("lookup", f"{archive.url}/search?query=md5:$md5" if kind == "sword1" else None)
    table: dict[str, Any] = {
        "state_dir": str(root / "state"),
        "queue": {"poll": 0.05},
        # Nothing is tried again unasked, so that each test sees what one attempt leaves.
        "retry": {"base": 600, "breaker": 0.1},
        "sources": {
            "cms": {"kind": "directory", "path": str(root / "site")},
            "views": {
                "kind": "http",
                "url": cms,
                "retries": 0,
                "username": EDITOR[0],
                "password": {"file": str(root / "editor")},
            },
        },
        "targets": places,
        "packages": {"site": "https://www.example.edu"},
        "archives": {
            "dspace": {
                "kind": kind,
                "deposits": {"8": archive.collection(version), "default": archive.collection(version, "other")},
                "username": ACCOUNT[0],
                "password": {"file": str(root / "password")},
                "lookup": lookup,
                "read_timeout": 30,
            }
        },
        "environments": {
            "STAGING": {
                "source": "cms",
                "origin": "origin",
                "holding_areas": [
                    {"target": "dspace", "modules": {"types": ["course"]}},
                    {"target": "area", "form": "download", "modules": {"types": ["course"]}},
                ],
            },
            "PRODUCTION": {"source": "target:origin", "origin": "production"},
            "DSPACE": {
                "source": "target:dspace",
                "origin": "retired",
                "views": "views",
                "default_action": "RETIRE",
                "retire": {
                    "archive": "dspace",
                    "form": "mets",
                    "metadata": "/lom$url/$path.xml",
                    "tell": TELL,
                    "settle": 0.0,
                    **retire,
                },
            },
        },
    }
    return Settings.model_validate(table)


Make = Callable[..., Retirement]


def held(made: Retirement, why: str, **parameters: Any) -> TaskView:
    view = made.bench.do(COURSE, "DSPACE", **parameters)
    assert view.task.state is State.HELD, f"{view.task.state}: {view.task.reason}"
    assert why in (view.task.reason or "")
    return view


def lost(made: Retirement, when: str) -> int:
    """A task whose deposit was cut off, before or after the archive stored it; it is READY again."""
    made.archive.break_with("cut", when=when, times=1)
    task = made.bench.insert(COURSE, "DSPACE")
    made.bench.run("DSPACE")
    view = made.bench.desk.show(task)
    assert view.attempts[0].error == "AnswerLost"
    assert made.deposit().state is DepositState.SENT
    return task


def done(made: Retirement, task: int) -> TaskView:
    made.again(lambda: made.bench.run("DSPACE"), lambda: made.bench.desk.show(task).task.state is not State.READY)
    view = made.bench.desk.show(task)
    assert view.task.state is State.SUCCEEDED, f"{view.task.state}: {view.task.reason}"
    return view


@pytest.fixture
def retirement(
    tmp_path: Path, cms: Callable[..., Cms], sword_server: Callable[..., SwordServer]
) -> Iterator[Callable[..., Retirement]]:
    """`retirement(kind="sword1", rules=Rules(...), process=True, settle=2, ...)`: a site with one course, staged."""
    made: list[Retirement] = []

    def make(*, rules: Rules | None = None, process: bool = False, **options: Any) -> Retirement:
        site = tmp_path / "site"
        (site / "lom/courses/a").mkdir(parents=True)
        (site / "lom/courses/a/index.htm.xml").write_text("<lom>of the CMS</lom>")
        server, archive = cms(site, account=EDITOR), sword_server(rules=rules or Rules(duplicates=True), process=process)
        answers(server, site)
        bench = Bench(tmp_path, settings_of(tmp_path, server.url, archive, **options))
        made.append(Retirement(bench, server, archive))
        made[-1].stage()
        return made[-1]

    yield make
    for each in made:
        each.bench.close()


def answers(server: Cms, site: Path) -> None:
    """Let the CMS have a view for each handle that it is told."""

    def told(path: str) -> None:
        if "/set_dspace_handle/" in path:
            file = site / path.lstrip("/").replace("//", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("thank you")

    server.before = told
