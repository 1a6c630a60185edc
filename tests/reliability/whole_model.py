"""Random histories of a queue, engines and a target together: `python -P -m reliability.whole_model --histories 2000`.

Real verbs on SQLite with a clock that is moved, real tasks, a real target in memory. Engines die, sleep past their lease and wake up
as stale writers, the target and the source go away, the database loses an answer; people hold, cancel and approve. At the end the
history is judged, and the target must be what its slips say.
"""

import argparse
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from config import Secrets
from database import Database, LeaseLost, NewTask, NoSuchTask, State
from engines.lease import Lease
from engines.workshop import Seams, Targets, Workshop
from packageslip import Packageslip, Resource, write_slip
from reliability.happenings import Move
from reliability.history import check
from reliability.rows import read_rows
from reliability.sftp_log import move_of
from reliability.target_rules import unequal
from support.bench import settings_of
from support.kill_rig import folder_for_worlds
from support.queue import Clock, Queue
from support.releases import digest
from support.schema import sqlite_template
from targets import MemoryFiles, OrderedTarget, TargetUnreachable
from targets.disk import Answer, Call
from targets.memory import MemoryDisk

URLS = ("/a", "/a/b", "/c")
TTL = 60.0
MISHAPS = ("none", "none", "dies", "sleeps", "cut", "answer lost")


class Died(BaseException):
    """The engine's process is no more; nothing of it runs again."""


class TargetInMemory(MemoryDisk):
    """A disk that tells which moves were made, and where something goes wrong before one step."""

    def __init__(self, files: MemoryFiles, moves: list[Move], mishap: Callable[[], None]) -> None:
        super().__init__(files, lambda *_: mishap())
        self._moves = moves

    def _run(self, call: Call) -> Answer:
        answer = super()._run(call)
        if answer is Answer.OK and (move := move_of("origin", call.path, call.to)):
            self._moves.append(move)
        return answer


class WholeMachine(RuleBasedStateMachine):
    """One environment, one target, as many engines as come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="slipway-model-", dir=folder_for_worlds()))
        (self.folder / "state").mkdir()
        shutil.copy(sqlite_template(), self.folder / "state/queue.db")
        self.url = f"sqlite:///{self.folder}/state/queue.db"
        clock = Clock()
        self.settings = settings_of(self.folder, environments={"STAGING": {"source": "cms", "origin": "origin"}})
        self.queue = Queue(self.url, Database.connect(self.url, clock=clock), clock, self.settings)
        self.files, self.moves = MemoryFiles(), list[Move]()
        self.accepted: set[int] = set()
        self.deferred: set[int] = set()
        self.listed: set[tuple[str, str, bytes]] = set()
        self.version = 0
        for url in URLS:
            self.change(url, 3)

    @rule(url=st.sampled_from(URLS), files=st.integers(0, 5))
    def change(self, url: str, files: int) -> None:
        """The source has another version; few files make the guard ask."""
        self.version += 1
        contents = {f"f{number}.htm": f"{url} {self.version} {number}" for number in range(files)}
        contents["index.htm"] = f"{url} {self.version}"
        place = self.folder / "site" / url.strip("/")
        place.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            (place / name).write_text(text)
            self.listed.add(("origin", f"{url}/{name}".strip("/"), digest(text.encode())))
        resources = tuple(Resource(n, size=len(t), digest=digest(t.encode())) for n, t in contents.items())
        (place / "packageslip.xml").write_bytes(write_slip(Packageslip(url, resources)))

    @rule(url=st.sampled_from(URLS), action=st.sampled_from(["PUBLISH", "PUBLISH", "UNPUBLISH"]))
    def insert(self, url: str, action: str) -> None:
        self.accepted.add(self.queue.desk.insert(NewTask(url, "STAGING", action)))
        self.queue.intake.accept(self.settings)

    @rule(verb=st.sampled_from(["hold", "release", "cancel"]), back=st.integers(0, 3))
    def person(self, verb: str, back: int) -> None:
        """Somebody changes one of the last rows."""
        for task in self.queue.desk.find(limit=4)[back : back + 1]:
            self.deferred.add(task.id)
            try:
                getattr(self.queue.desk, verb)([task.id])
            except NoSuchTask:
                continue

    @rule()
    def approve(self) -> None:
        for task in self.queue.desk.find(states=[State.HELD]):
            plan = self.queue.desk.show(task.id).plan
            assert plan is not None
            self.accepted.add(self.queue.desk.approve(task.id, plan.digest))

    @rule(seconds=st.sampled_from([1.0, 30.0, TTL + 1, 600.0]))
    def wait(self, seconds: float) -> None:
        self.queue.clock.forward(seconds)

    @rule()
    def poll(self) -> None:
        self.queue.intake.accept(self.settings)
        self.queue.intake.sweep()
        for engine in self.queue.leases.expired():
            self.queue.leases.rescue(engine.start)

    @rule(mishap=st.sampled_from(MISHAPS), step=st.integers(1, 60), known=st.booleans())
    def work(self, mishap: str, step: int, known: bool) -> None:
        """A new engine takes what it can, one task after the other, until it is idle or something happens to it."""
        left = [step if mishap in {"dies", "sleeps", "cut"} else 0]

        def happens() -> None:
            left[0] -= 1
            if left[0] != 0:
                return
            if mishap == "dies":
                raise Died
            if mishap == "cut":
                raise TargetUnreachable("origin: the connection was cut", target="origin")
            # It sleeps past its lease; somebody else does all of its work; then it goes on as if nothing had been.
            self.queue.clock.forward(TTL + 1)
            self.poll()
            self.work_quietly()
            if known:
                # It has heard of it by the time it looks; otherwise only the target's fence tells.
                leases[-1].lose()

        leases: list[Lease] = []
        self._engine(happens, leases, loses_answer=mishap == "answer lost")

    def work_quietly(self) -> None:
        self._engine(lambda: None, [], loses_answer=False)

    def _engine(self, happens: Callable[[], None], leases: list[Lease], *, loses_answer: bool) -> None:
        """Its own clock stands still, as that of a process that slept does. `leases` gets its lease."""
        lease = Lease(self.settings.queue, lambda: 0.0)
        lease.renewed(0.0)
        leases.append(lease)
        target = OrderedTarget("origin", TargetInMemory(self.files, self.moves, happens))
        seams = Seams(open_target=lambda *_: target)
        engine = self.queue.engine(ttl=TTL)
        shop = Workshop(self.settings, self.settings.environments["STAGING"], Secrets({}), self.queue.db, engine, lease, seams)
        try:
            self._work(shop, loses_answer=loses_answer)
            self.queue.leases.leave(engine)
        except Died:
            self.queue.leases.bury(engine.start)
        except LeaseLost:
            lease.lose()
        finally:
            shop.sources.close()
            shop.web.close()

    def _work(self, shop: Workshop, *, loses_answer: bool) -> None:
        targets = Targets(shop.open_target)
        while tasks := self.queue.claim(shop.engine, "origin", limit=2):
            self.queue.claims.start(shop.engine, tasks)
            for task in tasks:
                result = shop.carry_out(task, targets)
                if result is not None:
                    self.queue.claims.finish(shop.engine, [result])
                    if loses_answer:
                        # Nobody knows whether it was written, so it is written again.
                        assert not self.queue.claims.finish(shop.engine, [result])

    def teardown(self) -> None:
        try:
            self._settle()
            history = read_rows(self.url, accepted=self.accepted, deferred=self.deferred, settled=True)
            seen = {path: digest(content) for path, content in self.files.tree().items() if not path.startswith(".slipway/")}
            public = {path: found for path, found in seen.items() if not path.endswith("packageslip.xml")}
            target = OrderedTarget("origin", MemoryDisk(self.files))
            slips = [slip for entry in target.modules() if (slip := target.slip(entry.url))]
            object.__setattr__(history, "moves", self.moves)
            broken = [*check(history), *unequal("origin", slips, public)]
            broken_files = {path for path, found in public.items() if ("origin", path, found) not in self.listed}
            assert not broken, "\n".join(map(str, broken))
            assert not broken_files, f"{broken_files} were never listed"
        finally:
            self.queue.db.close()
            shutil.rmtree(self.folder)

    def _settle(self) -> None:
        """No more mishaps: what is held is cancelled, every module is published, and everything ends."""
        for task in self.queue.desk.find(states=["NEW", "READY", "HELD"], limit=1000):
            self.queue.desk.release([task.id])
            if task.state is State.HELD:
                self.queue.desk.cancel([task.id])
        for _ in range(40):
            self.queue.clock.forward(4000)
            self.poll()
            self.work_quietly()
            if not self.queue.desk.find(states=["NEW", "READY", "RUNNING"]):
                break
        for task in self.queue.desk.find(states=["HELD"], limit=1000):
            self.queue.desk.cancel([task.id])
        self.poll()


def run(histories: int, steps: int = 25, *, derandomize: bool = False) -> None:
    """So many random histories. Raises what hypothesis found, shrunken, with the code that does it again."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chosen = settings(
        max_examples=histories,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=derandomize,
        database=None,
    )
    run_state_machine_as_test(WholeMachine, settings=chosen)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=2000)
    chosen = parser.parse_args(arguments)
    run(chosen.histories)
    print(f"{chosen.histories} random histories of queue, engines and target, 0 violations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
