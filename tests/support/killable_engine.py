"""An engine that dies, or waits, at a named point: `python -P killable_engine.py kill|wait POINT FLAG ENVIRONMENT ...`.

Points of a task: loading, packaged, staging, prepared, switched, finishing; of RETIRE also described, built, recorded, kept, sending,
answered, confirmed, told. Of SNAPSHOT also modules read, externals fetched, pages written, laying,
tree laid. Points of the target's file system: "between files",
"between renames", "before slip", "between drops". `wait` makes the file FLAG and goes on when somebody removed it.
With OTHER_HOST in its environment it says that it runs there, so that nobody here may end it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from config import Secrets, Settings
from engines import engine
from engines.__main__ import main
from engines.workshop import Seams
from support.stepping import goes_on, step_by_step
from targets import OrderedTarget, Target, open_target
from targets.disk import Answer, Call, Disk, Done, Looks, Op, Script, Seen, Write, ahead_at_once, lacks_first


class At:
    """What happens at the one point, the first time it is reached."""

    def __init__(self, what: str, point: str, flag: Path) -> None:
        self._what, self._point, self._flag = what, point, flag
        self._done = False

    def reached(self, point: str) -> None:
        if point != self._point or self._done:
            return
        self._done = True
        self._flag.touch()
        if self._what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while self._flag.exists():
            time.sleep(0.02)


class Watched:
    """A Disk whose calls are made one by one, so that each moment between two of them is a point."""

    def __init__(self, disk: Disk, reached: Callable[[str], None]) -> None:
        self._disk, self._reached = disk, reached
        self._renames = self._drops = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def run(self, calls: Sequence[Call]) -> Sequence[Answer]:
        return [answer for call in calls for answer in self._one(call)]

    def look(self, looks: Looks, after: Sequence[Call] = (), otherwise: Sequence[Call] = ()) -> tuple[Sequence[Answer], Seen]:
        answers = self.run(after)
        seen = self._disk.look(looks)[1]
        return self.run(otherwise) if otherwise and lacks_first(seen) else answers, seen

    def ahead(self, folders: Sequence[Call]) -> Callable[[], Sequence[Answer]]:
        return ahead_at_once(self, folders)

    def carry_out(self, script: Script) -> Done | None:
        return step_by_step(self, script) if goes_on(self._disk) else None

    def _one(self, call: Call) -> Sequence[Answer]:
        source, goal = call.path.rpartition("/")[2], call.to.rpartition("/")[2]
        if call.op is Op.RENAME and goal == "slip.xml":
            self._reached("before slip")
        elif call.op is Op.RENAME and source.startswith("s:"):
            self._renames += 1
            if self._renames == 2:
                self._reached("between renames")
        elif call.op is Op.RENAME and goal.startswith("t:"):
            self._drops += 1
            if self._drops == 2:
                self._reached("between drops")
        return self._disk.run([call])

    def write(self, writes: Iterable[Write]) -> Iterator[Write]:
        for number, write in enumerate(writes):
            if number == 1:
                self._reached("between files")
            yield from self._disk.write([write])


def run(what: str, point: str, flag: str, *arguments: str) -> int:
    at = At(what, point, Path(flag))
    if other := os.environ.get("OTHER_HOST"):
        engine.this_host = lambda: (other, "boot")  # type: ignore[attr-defined]

    def opened(name: str, settings: Settings, secrets: Secrets) -> Target:
        target = open_target(name, settings, secrets=secrets)
        assert isinstance(target, OrderedTarget)
        target._disk = Watched(target._disk, at.reached)
        return target

    return main(arguments, Seams(opened, at.reached))


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
