"""Scripts carried out step by step, so that each moment between two steps can be looked at."""

from collections.abc import Sequence

from targets.disk import Answer, Disk, Done, Script
from targets.memory import MemoryDisk


def step_by_step(disk: Disk, script: Script) -> Done:
    """What a script comes to, by the disk's own calls."""
    first = disk.run(script.first)
    for _ in disk.write(script.writes):
        """Raises where one cannot be made."""
    answers: list[Answer] = []
    for call in script.calls:
        answers += disk.run([call])
        if answers[-1] is not Answer.OK:
            break
    return Done(first, answers, disk.stat(script.stats))


class FollowingDisk(MemoryDisk):
    """A server that goes on by itself, call by call: whoever gave it a script need not be there any more."""

    def carry_out(self, script: Script) -> Done | None:
        return step_by_step(self, script)


def goes_on(disk: Disk) -> bool:
    """Whether this one carries out scripts."""
    nothing: Sequence[Answer] = ()
    return disk.carry_out(Script(calls=())) == Done(nothing, nothing, ())
