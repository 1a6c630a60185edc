"""A group of three servers in memory, engines that can be stopped or hurt at any call to any of them, and what must hold then."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from support.claims import TestQueue, Ticket
from support.histories import FOREIGN, GOALS, Killed, World, copy_of, do, world_with
from targets import GroupTarget, MemoryDisk, Moved, OrderedTarget, TargetError
from targets.area import NOTE
from targets.note import read_note

MEMBERS = ("m0", "m1", "m2")
Fault = Callable[[int, str], BaseException | None]
"""What becomes of a call, by the member's number and the verb; None: it goes through."""


def fine(member: int, verb: str) -> None:
    """Every call goes through."""


@dataclass
class GroupWorld:
    """The members' worlds, one queue, and which serials were ever prepared, or live from the start, on which members."""

    members: list[World]
    queue: TestQueue
    quorum: int
    prepared: dict[int, set[int]] = field(default_factory=dict)
    calls: int = 0

    def claim(self, retry: Ticket | None = None) -> Ticket:
        """The next task's claim; the lease of the tasks before it is over, which they do not know."""
        for ticket in self.queue.tickets:
            ticket.lost, ticket.aware = True, False
        return self.queue.claim(retry.serial if retry else None)

    def target(self, fault: Fault = fine, step: Callable[[str, str, str], None] = lambda *_: None) -> GroupTarget:
        """The group as one engine has it. Each call is counted; `step` may wait before it is made."""

        def hook(member: int) -> Callable[[str, str, str], None]:
            def look(verb: str, path: str, to: str) -> None:
                step(verb, path, to)
                error = fault(member, verb)
                if error is not None:
                    raise error
                self.calls += 1
                if to.endswith(f"/{NOTE}"):
                    self._note(member, path)

            return look

        members = [
            OrderedTarget(name, MemoryDisk(world.files, hook(number)), world.options)
            for number, (name, world) in enumerate(zip(MEMBERS, self.members, strict=True))
        ]
        return GroupTarget("g", members, self.quorum)

    def _note(self, member: int, path: str) -> None:
        found = self.members[member].files.find(path)
        if found is not None:
            self.prepared.setdefault(read_note(found.content).serial, set()).add(member)

    def run(self, goal: str, claim: Ticket | None = None, fault: Fault = fine) -> TargetError | Moved | None:
        """One task to its end: its error, or what it moved; None if it was killed."""
        try:
            return do(self.target(fault), GOALS[goal], claim or self.claim())
        except TargetError as error:
            return error
        except Killed:
            return None

    def check(self) -> None:
        """What must hold at any moment, on each member by itself and between them."""
        for number, member in enumerate(self.members):
            member.check()
            slip = member.slip()
            serials = [slip.serial or 0] if slip else [serial for serial, word in self.words.items() if word == "none"]
            places = [self.prepared.get(serial, set()) for serial in serials]
            assert any(len(on) >= self.quorum for on in places), f"{MEMBERS[number]} is at {slip}, prepared on {places}"
            self._check_begun(number)

    def _check_begun(self, number: int) -> None:
        """Nothing of a release is visible on a member unless it was prepared on a quorum."""
        live = {path: content for path, content in self.members[number].live().items() if path not in FOREIGN}
        versions = {name: on for name, on in self._contents().items() if len(on) < self.quorum}
        mixed = {path for path, content in live.items() if content.split()[0].decode() in versions}
        assert not mixed, f"{MEMBERS[number]} shows {mixed} of a release that was prepared on too few"

    def _contents(self) -> dict[str, set[int]]:
        """Where each version was prepared, by the first word of its files."""
        found: dict[str, set[int]] = {}
        for serial, on in self.prepared.items():
            if serial in self.words:
                found.setdefault(self.words[serial], set()).update(on)
        return found

    words: dict[int, str] = field(default_factory=dict)
    """The first word of what a task's files say, by its serial."""

    def start(self, goal: str, retry: Ticket | None = None) -> Ticket:
        """A claim for this goal."""
        ticket = self.claim(retry)
        self.words[ticket.serial] = goal
        return ticket

    def finish_alone(self, goal: str) -> None:
        """With everybody else dead and every server well, one engine ends with its own tree on every member, and no residue."""
        result = self.run(goal, self.start(goal))
        assert isinstance(result, Moved), repr(result)
        assert result.lagging == ()
        for member in self.members:
            member.check_end(goal)


def group_with(goal: str | None, quorum: int) -> GroupWorld:
    """Three members that hold this, or nothing."""
    first = world_with(goal)
    members = [first, copy_of(first), copy_of(first)]
    made = GroupWorld(members, TestQueue(first.queue.id, first.queue.counter), quorum)
    slip = first.slip()
    serial = slip.serial or 0 if slip else 0
    made.prepared[serial] = set(range(len(members)))
    made.words[serial] = goal or "none"
    return made


def copy_of_group(world: GroupWorld) -> GroupWorld:
    """The same servers and queue."""
    copied = GroupWorld(
        [copy_of(member) for member in world.members], TestQueue(world.queue.id, world.queue.counter), world.quorum
    )
    copied.prepared = {serial: set(on) for serial, on in world.prepared.items()}
    copied.words = dict(world.words)
    return copied


def killed_after(calls: int) -> Fault:
    """The engine is gone after so many calls, to whichever member."""
    left = iter(range(calls))
    return lambda _member, _verb: None if next(left, None) is not None else Killed()


def hurt(
    member: int, call: int, error: Callable[[], BaseException], *, verbs: frozenset[str] = frozenset(), once: bool = False
) -> Fault:
    """From a member's n-th call on (or only then), those of these verbs fail (default: all)."""
    seen = iter(range(10**6))
    struck: list[int] = []

    def fault(number: int, verb: str) -> BaseException | None:
        if number != member or next(seen) < call or (verbs and verb not in verbs) or (once and struck):
            return None
        struck.append(number)
        return error()

    return fault


def calls_of(world: GroupWorld, goal: str) -> int:
    """How many calls an undisturbed task makes, to all members together."""
    trial = copy_of_group(world)
    assert isinstance(trial.run(goal, trial.start(goal)), Moved)
    return trial.calls


def quiet(target: GroupTarget, goal: str, claim: Ticket) -> None:
    """A task whose end does not matter."""
    with suppress(TargetError):
        do(target, GOALS[goal], claim)


def steps(count: int, every: int) -> Iterator[int]:
    """Every n-th call, the last one included."""
    yield from range(0, count, every)
    yield count
