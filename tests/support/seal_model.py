"""The model of the commit protocol with seals: engines that look before they take over, and a queue that forgets what it sealed.

The queue's rows are names under `Q`, beside the target's: `Q/seal` is what the last attempt left, `Q/told` what a task that took
nothing over has said is live.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from support.protocol_exploration import Engine, Exploration, Places, State, begin, check_step, freeze, live, noted, with_
from support.protocol_model import FOLDER, Program, answer, engine

SEAL, TOLD = "Q/seal", "Q/told"


def looking(me: int, fence: int, goal: int, serial: int, area: str) -> Program:
    """One task. It goes by the seal if it is the first attempt; else it does what every engine does, and leaves a seal."""
    seal = yield "get", SEAL
    if seal and fence == serial and seal[3] == goal:
        folder = yield "get", f"{seal[0]}/M/{seal[1]}"
        slip = yield "get", f"{seal[0]}/M/slip"
        if folder == FOLDER and slip == seal[2]:
            yield "tell", goal
            return "done"
    word = yield from engine(me, fence, goal, serial, area)
    if word == "done" and goal:
        mine = yield from own_token(area, me)
        slip = yield "get", f"{area}/M/slip"
        if mine and slip:
            yield "seal", area, mine, slip, goal
    return word


def own_token(area: str, me: int) -> Generator[Any, Any, str | None]:
    there = (yield "list", f"{area}/M") or ()
    return next((name for name in there if name.endswith(f".{me}")), None)


def sealed(claims: int) -> State:
    """A target on which version 1 is live and sealed, by a task long done."""
    first = begin(claims, losses=0, published=1)
    files = dict(first.files) | {"Q": FOLDER, SEAL: ("A0", "00.0", ("slip", 1, 0, "A0"), 1)}
    return with_(first, files=freeze(files))


@dataclass
class Sealing(Exploration):
    """I8: what a task said is live without taking it over is live, and stays so until another task is claimed."""

    forgets: bool = True
    """Whether the queue forgets its seals when it takes an engine's task away."""
    places: Places = field(default_factory=lambda: Places(looking))

    def answer(self, files: dict[str, Any], call: Any, number: int) -> Any:
        # What is written to the queue's rows is the step's business: it depends on who has the lease.
        return True if call[0] in {"seal", "tell"} else answer(files, call, number)

    def step(self, state: State, one: Engine) -> tuple[str, State]:
        label, after = super().step(state, one)
        files, mine = dict(after.files), state.holder == one.number
        if mine and one.call[0] == "seal":
            files[SEAL] = one.call[1:]
        if mine and one.call[0] == "tell":
            files[TOLD] = one.call[1]
        ended = all(other.number != one.number for other in after.engines)
        # Who says itself how its attempt ended makes no further call: that is no engine that was lost.
        return label, with_(after, files=freeze(files), holder=0 if mine and ended else after.holder)

    def claim(self, state: State, victim: Engine | None, goal: int, serial: int | None) -> tuple[str, State]:
        files = dict(state.files)
        files.pop(TOLD, None)
        if state.holder and self.forgets:
            files.pop(SEAL, None)
        return super().claim(with_(state, files=freeze(files)), victim, goal, serial)

    def check_step(self, before: State, after: State, label: str) -> None:
        check_step(before, after, label)
        told = dict(after.files).get(TOLD)
        if told is not None:
            held, was = dict(after.files), dict(before.files)
            assert held.get("L/p") == f"p{told}", f"I8: a task said that v{told} is live, and {live(held)} is"
            assert noted(held) is None, "I8: a task said that all is as it should be, and a release is unfinished"
            assert TOLD not in was or live(was) == live(held), "I8: what a task said is live was changed by one before it"

    def check_alone(self, state: State) -> None:
        files = dict(state.files)
        if state.holder:
            files.pop(SEAL, None)
        super().check_alone(with_(state, files=freeze(files)))


def words(exploration: Sealing, first: State) -> Iterator[str]:
    """Every call that was made, to see that something was tried."""
    exploration.run(first)
    yield from (str(call[0]) for _, call in exploration.places.ways.values() if isinstance(call, tuple))
