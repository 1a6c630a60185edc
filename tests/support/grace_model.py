"""A model of files that stay for a while: one target, engines one after the other that may die at any step, and a clock.

What leaves, stays and goes is decided by the program's own functions. Time passes at any moment, ten seconds at once; a
visitor fetches each page just before it is replaced, and comes back for its asset at any time within the grace.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from packageslip import Resource, Stale
from support.protocol_exploration import Broken, Places, history
from targets import Grace
from targets.departing import departing, later

GRACE, TICK = 20, 10
UNPUBLISH, EXPIRE = 0, -1
ASSETS = {0: frozenset[str](), 1: frozenset({"a"}), 2: frozenset({"b"}), 3: frozenset({"b", "c"})}
"""What each version's page uses."""

Step = tuple[Any, ...]
Program = Generator[Step, Any, str]


@dataclass(frozen=True, slots=True)
class Note:
    goal: int
    drops: frozenset[str]
    stale: tuple[Stale, ...]
    since: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """`listed`: the commit record's version; `stale`: its stale files; `files`: the assets that lie there."""

    page: int = 1
    listed: int = 1
    stale: tuple[Stale, ...] = ()
    files: frozenset[str] = ASSETS[1]
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class State:
    """`left`: until when each asset is owed to visitors; `place`, `step`: where the engine stands."""

    target: Target
    now: int
    left: tuple[tuple[str, int], ...]
    place: Any
    step: Step | None
    claims: int
    ticks: int


def engine(goal: int) -> Program:
    """One task."""
    if (yield ("look",)):
        yield from finish()
    if (yield "prepare", goal):
        yield from finish()
    return "done"


def finish() -> Generator[Step, Any, None]:
    for part in ("assets", "page", "slip", "drop", "count", "clean"):
        yield (part,)


def prepared(target: Target, goal: int, now: int) -> Note | None:
    """The note of a release; None where there is nothing to do."""
    listed = target.listed if goal == EXPIRE else goal
    gone = [Resource(path, size=1, digest=b"") for path in sorted(ASSETS[target.listed] - ASSETS[listed])]
    old = [file for file in target.stale if file.path not in ASSETS[listed]]
    grace = None if goal == UNPUBLISH else Grace(GRACE, now)
    found = departing([*gone, *old], ASSETS[listed], grace, fold=False)
    if goal == EXPIRE and not found.drops:
        return None
    return Note(listed, frozenset(drop.path for drop in found.drops), found.stale, found.since)


def apply(state: State, step: Step) -> tuple[State, Any]:
    """Make one step: the state as it is then, and the answer."""
    target, now = state.target, state.now
    if step[0] == "look":
        return state, target.note is not None
    if step[0] == "prepare":
        note = prepared(target, step[1], now)
        return replace(state, target=replace(target, note=note)), note is not None
    note = target.note
    assert note is not None
    if step[0] == "page" and target.page != note.goal:
        owed = dict.fromkeys(ASSETS[target.page], now + GRACE) if note.goal else {}
        kept = {path: until for path, until in state.left if note.goal and until >= now}
        return replace(state, target=replace(target, page=note.goal), left=tuple(sorted((kept | owed).items()))), None
    return replace(state, target=part_of(target, note, step[0], now)), None


def part_of(target: Target, note: Note, part: str, now: int) -> Target:
    """One part of finishing what is noted."""
    if part == "assets":
        return replace(target, files=target.files | ASSETS[note.goal])
    if part == "slip":
        # Renamed once: a recovery after this finds it gone from where it was staged, and the record keeps what it says.
        there = {file.path for file in target.stale} == {file.path for file in note.stale} and target.listed == note.goal
        return target if there else replace(target, listed=note.goal, stale=note.stale)
    if part == "drop":
        return replace(target, files=target.files - note.drops)
    if part == "count" and note.since is not None and now > note.since:
        return replace(target, stale=later(target.stale, note.since, now))
    return replace(target, note=None) if part == "clean" else target


def begin(claims: int, ticks: int) -> State:
    """Version 1 is live."""
    return State(Target(), 1_000, (), None, None, claims, ticks)


@dataclass
class Exploration:
    """Breadth first, over every order of tasks, deaths and ticks of the clock."""

    goals: tuple[int, ...] = (UNPUBLISH, 1, 2, 3, EXPIRE)
    places: Places = field(default_factory=lambda: Places(engine))

    def run(self, first: State) -> int:
        """How many states there are. Raises Broken with the shortest history."""
        came: dict[State, tuple[State | None, str]] = {first: (None, "start")}
        front = [first]
        while front:
            coming = []
            for state in front:
                for label, after in self.successors(state):
                    if after not in came:
                        came[after] = (state, label)
                        coming.append(after)
                        try:
                            check(after)
                        except AssertionError as error:
                            raise Broken(f"{error}\n" + "\n".join(history(came, after))) from error
            front = coming
        return len(came)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        if state.ticks:
            yield "time passes", replace(state, now=state.now + TICK, ticks=state.ticks - 1)
        if state.step is not None:
            after, said = apply(state, state.step)
            place, step = self.places.go(state.place, said)
            label = f"{state.step} at {state.now}"
            yield label, replace(after, place=place, step=None if isinstance(step, str) else step)
        if state.claims:
            for goal in self.goals:
                place, step = self.places.start(goal)
                yield f"a task for {goal}", replace(state, place=place, step=step, claims=state.claims - 1)


def check(state: State) -> None:
    """What must hold at any moment."""
    target = state.target
    missing = ASSETS[target.page] - target.files
    assert not missing, f"H1: v{target.page} is visible without {missing}"
    owed = {path for path, until in state.left if until > state.now and target.page}
    assert owed <= target.files, f"H2: {owed - target.files} is gone before its grace is over"
    if target.note is None:
        known = ASSETS[target.listed] | {file.path for file in target.stale}
        assert target.files == known, f"H3: {set(target.files)} lies there, the record knows {set(known)}"
        assert target.page == target.listed, f"H3: v{target.page} is visible, the record says v{target.listed}"
    else:
        listed = ASSETS[target.listed] | {file.path for file in target.stale} | ASSETS[target.note.goal]
        assert target.files <= listed | target.note.drops, "H4: something lies there that neither record nor note knows"
