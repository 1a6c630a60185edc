"""Exploring the model of groups: engines that die or sleep at any step, members that do not answer, in every order."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from support import group_model as model
from support.group_model import Member, Step
from support.protocol_exploration import Broken, Places, history

Prepared = frozenset[tuple[int, int, int]]
"""(goal, serial, member) of every note that was ever written."""


@dataclass(frozen=True, slots=True)
class Engine:
    fence: int
    place: Any
    step: Step


@dataclass(frozen=True, slots=True)
class State:
    """`last`: the task that can be tried again. `claims` and `downs`: how many more may come."""

    members: tuple[Member, ...]
    engines: tuple[Engine, ...]
    counter: int
    last: tuple[int, int] | None
    prepared: Prepared
    claims: int
    downs: int


def begin(members: int, claims: int, downs: int) -> State:
    """Version 1 is live on every member, by a task long done."""
    one: Member = (0, None, 1, frozenset({1}), (1, 0))
    return State((one,) * members, (), 0, None, frozenset((1, 0, member) for member in range(members)), claims, downs)


@dataclass
class GroupExploration:
    """Breadth first: `slots` engines at once, tasks that want one of `goals`."""

    quorum: int
    slots: int = 2
    goals: tuple[int, ...] = (0, 2)
    places: Places = field(default_factory=lambda: Places(model.engine))
    ends: set[tuple[Member, ...]] = field(default_factory=set)

    def run(self, first: State) -> int:
        """How many states there are. Raises Broken with the shortest history."""
        came: dict[State, tuple[State | None, str]] = {first: (None, "start")}
        front = [first]
        while front:
            coming = []
            for state in front:
                for label, after in self.successors(state):
                    if after in came:
                        continue
                    came[after] = (state, label)
                    coming.append(after)
                    try:
                        self.check(after)
                    except AssertionError as error:
                        raise Broken(f"{error}\n" + "\n".join(history(came, after))) from error
            front = coming
        return len(came)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        for one in state.engines:
            yield self.step(state, one, "")
            if state.downs:
                yield self.step(replace(state, downs=state.downs - 1), one, "before")
                yield self.step(replace(state, downs=state.downs - 1), one, "after")
        if state.claims:
            # A crash matters only when its place is needed again: until then it is a sleep.
            for victim in state.engines if len(state.engines) == self.slots else (None,):
                for goal, serial in [(goal, 0) for goal in self.goals] + ([state.last] if state.last else []):
                    yield self.claim(state, victim, goal, serial)

    def step(self, state: State, one: Engine, down: str) -> tuple[str, State]:
        """`down`: the member does not answer, before the step is made or after."""
        number = one.step[1]
        members, prepared = list(state.members), state.prepared
        said: Any = "down"
        if down != "before":
            members[number], answer = model.apply(members[number], one.step)
            said = "down" if down else answer
            if one.step[0] == "note" and answer == "ok":
                prepared |= {(*one.step[3], number)}
        place, step = self.places.go(one.place, said)
        engines = tuple(other for other in state.engines if other != one)
        if place is not None:
            assert not isinstance(step, str)
            engines = tuple(sorted((*engines, Engine(one.fence, place, step)), key=lambda other: other.fence))
        label = f"E{one.fence} {one.step} -> {said}" + (f" ({down})" if down else "") + (f": {step}" if place is None else "")
        return label, replace(state, members=tuple(members), engines=engines, prepared=prepared)

    def claim(self, state: State, victim: Engine | None, goal: int, serial: int) -> tuple[str, State]:
        fence = state.counter + 1
        place, step = self.places.start(goal, fence, serial or fence, len(state.members), self.quorum)
        engines = (*(one for one in state.engines if one != victim), Engine(fence, place, step))
        label = f"{f'E{victim.fence} dies, ' if victim else ''}E{fence} claims v{goal}{' again' if serial else ''}"
        last = (goal, serial or fence)
        return label, replace(state, engines=engines, counter=fence, last=last, claims=state.claims - 1)

    def check(self, state: State) -> None:
        """What must hold on each member, and between them; and that whoever is left alone succeeds."""
        for number, (_, note, page, assets, slip) in enumerate(state.members):
            name = f"member {number}"
            for goal, serial in {slip, *(((page, note[1]),) if note and note[2] and page == note[0] else ())}:
                on = {member for one, by, member in state.prepared if (one, by) == (goal, serial)}
                # Where a module is absent already, an unpublish has nothing to prepare.
                on |= {other for other, member in enumerate(state.members) if not goal and not member[4][0]}
                assert len(on) >= self.quorum, f"G1: {name} is at v{goal} of {serial}, which was prepared only on {on}"
            assert not page or page in assets, f"G2: {name} shows v{page} without what it uses"
            if note is None:
                assert (page, assets) == (slip[0], frozenset({slip[0]} - {0})), (
                    f"G3: nothing is noted on {name}, its slip is v{slip[0]}, live is v{page} with {set(assets)}"
                )
        if state.members not in self.ends:
            self.ends.add(state.members)
            for goal in self.goals:
                self.check_alone(state, goal)

    def check_alone(self, state: State, goal: int) -> None:
        """With all others dead and every member well, an engine ends with its own version on each, and nothing noted."""
        fence, members = state.counter + 1, list(state.members)
        place, first = self.places.start(goal, fence, fence, len(members), self.quorum)
        step: Step | str = first
        while not isinstance(step, str):
            members[step[1]], said = model.apply(members[step[1]], step)
            place, step = self.places.go(place, said)
        assert step == "done", f"G4: alone with v{goal} an engine ends {step}"
        wanted = (fence, None, goal, frozenset({goal} - {0}), (goal, fence))
        assert members == [wanted] * len(members), f"G4: v{goal} succeeded and left {members}"
