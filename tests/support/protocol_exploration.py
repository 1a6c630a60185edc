"""Exploring the model of the commit protocol: everything that engines, crashes and a lost database can do to one target.

Two engines that stand at the same place of the program with the same variables are one state, and what was once found out about such
a place is looked up from then on.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.protocol_model import FOLDER, VERSIONS, WHOLE, Call, answer, clash, engine, parent

Tree = tuple[tuple[str, Any], ...]


@dataclass
class Places:
    """Every place that an engine was ever seen at, and where each answer leads from there. `program`: what engines do."""

    program: Callable[..., Any] = engine
    ways: dict[tuple[Hashable, Any], tuple[Hashable, Call | str]] = field(default_factory=dict)
    history: dict[Hashable, tuple[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=dict)

    def start(self, *arguments: Any) -> tuple[Hashable, Call]:
        program = self.program(*arguments)
        call = next(program)
        place = place_of(program)
        self.history.setdefault(place, (arguments, ()))
        return place, call

    def go(self, place: Hashable, said: Any) -> tuple[Hashable, Call | str]:
        """The next place and call; the place None and a word at the end."""
        if (place, said) not in self.ways:
            arguments, answers = self.history[place]
            self.ways[place, said] = self._replay(arguments, (*answers, said))
        return self.ways[place, said]

    def _replay(self, arguments: tuple[Any, ...], answers: tuple[Any, ...]) -> tuple[Hashable, Call | str]:
        program = self.program(*arguments)
        call = next(program)
        try:
            for said in answers:
                call = program.send(said)
        except StopIteration as end:
            return None, end.value
        place = place_of(program)
        self.history.setdefault(place, (arguments, answers))
        return place, call


def place_of(program: Any) -> Hashable:
    """Where a generator stands, with those it waits for, and all their variables."""
    frames = []
    while program is not None:
        frames.append(
            (
                program.gi_code.co_name,
                program.gi_frame.f_lasti,
                tuple(sorted(program.gi_frame.f_locals.items(), key=lambda item: item[0])),
            )
        )
        program = program.gi_yieldfrom
    return tuple(frames)


@dataclass(frozen=True, slots=True)
class Engine:
    number: int
    place: Hashable
    call: Call


@dataclass(frozen=True, slots=True)
class State:
    """`holder`: the engine whose lease is valid; `last`: the task that can be retried, with its serial."""

    files: Tree
    engines: tuple[Engine, ...]
    holder: int
    counter: int
    area: int
    started: int
    last: tuple[int, int] | None
    claims: int
    losses: int


class Broken(AssertionError):
    """A promise that did not hold, with the history that led to it."""


def begin(claims: int, losses: int, published: int = 0) -> State:
    """A target with an area; `published`: the version that is live, by a task long done."""
    files: dict[str, Any] = {"L": FOLDER, "L/foreign": "theirs", "A0": FOLDER, "A0/W": FOLDER}
    if published:
        files |= {"A0/M": FOLDER, "A0/M/00.0": FOLDER, "A0/M/slip": ("slip", published, 0, "A0")}
        files |= {f"L/{parent(path)}": FOLDER for path in VERSIONS[published] if "/" in path}
        files |= {f"L/{path}": content for path, content in VERSIONS[published].items()}
    return State(tuple(sorted(files.items())), (), 0, 0, 0, 0, None, claims, losses)


@dataclass
class Exploration:
    """Breadth first over everything that can happen: `slots` engines at once, tasks that want one of `goals`."""

    slots: int
    goals: tuple[int, ...]
    places: Places = field(default_factory=Places)
    ends: dict[tuple[Tree, Hashable], tuple[str, Tree]] = field(default_factory=dict)

    def answer(self, files: dict[str, Any], call: Call, number: int) -> Any:
        return answer(files, call, number)

    def check_step(self, before: State, after: State, label: str) -> None:
        check_step(before, after, label)

    def check_tree(self, files: dict[str, Any]) -> None:
        check_tree(files)

    def check_end(self, files: dict[str, Any], goal: int) -> None:
        check_end(files, goal)

    def run(self, first: State) -> int:
        """How many states there are. Raises Broken with the shortest history."""
        came: dict[State, tuple[State | None, str]] = {first: (None, "start")}
        checked: set[Tree] = set()
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
                        self.check_step(state, after, label)
                        if after.files not in checked:
                            checked.add(after.files)
                            self.check_tree(dict(after.files))
                            self.check_alone(after)
                    except AssertionError as error:
                        raise Broken(f"{error}\n" + "\n".join(history(came, after))) from error
            front = coming
        return len(came)

    def successors(self, state: State) -> Iterator[tuple[str, State]]:
        for one in state.engines:
            yield self.step(state, one)
        if state.claims:
            # A crash matters only when its place is needed again: until then it is a pause.
            for victim in state.engines if len(state.engines) == self.slots else (None,):
                for goal, serial in [(goal, None) for goal in self.goals] + ([state.last] if state.last else []):
                    yield self.claim(state, victim, goal, serial)
        if state.losses:
            files = dict(state.files)
            move_area(files, f"A{state.area}", f"A{state.area + 1}")
            yield (
                "database lost",
                with_(state, files=freeze(files), holder=0, counter=0, area=state.area + 1, last=None, losses=state.losses - 1),
            )

    def step(self, state: State, one: Engine) -> tuple[str, State]:
        files, holder, counter, last = dict(state.files), state.holder, state.counter, state.last
        if one.call[0] == "renew":
            said: Any = max(counter, one.call[1]) + 1 if holder == one.number else 0
            if said:
                counter, last = said, (last[0], said) if last else None
        else:
            said = self.answer(files, one.call, one.number)
        place, call = self.places.go(one.place, said)
        others = tuple(other for other in state.engines if other != one)
        if place is None:
            close(files, one.number)
            if call == "done" and holder == one.number:
                holder, last = 0, None
        else:
            assert not isinstance(call, str)
            others = tuple(sorted((*others, Engine(one.number, place, call)), key=lambda other: other.number))
        label = f"E{one.number} {' '.join(map(str, one.call))} -> {said}" + (f": {call}" if place is None else "")
        return label, with_(state, files=freeze(files), engines=others, holder=holder, counter=counter, last=last)

    def claim(self, state: State, victim: Engine | None, goal: int, serial: int | None) -> tuple[str, State]:
        files = dict(state.files)
        if victim:
            close(files, victim.number)
        number, fence = state.started + 1, state.counter + 1
        place, call = self.places.start(number, fence, goal, serial or fence, f"A{state.area}")
        engines = (*(one for one in state.engines if one != victim), Engine(number, place, call))
        label = f"{f'E{victim.number} dies, ' if victim else ''}E{number} claims v{goal}{' again' if serial else ''} with fence {fence}"
        return label, with_(
            state,
            files=freeze(files),
            engines=engines,
            holder=number,
            counter=fence,
            started=number,
            last=(goal, serial or fence),
            claims=state.claims - 1,
        )

    def check_alone(self, state: State) -> None:
        """I3: with all others dead, an engine alone ends with its own task's tree and nothing else."""
        files = dict(state.files)
        for one in state.engines:
            close(files, one.number)
        for goal in self.goals:
            fence = state.counter + 1
            place, call = self.places.start(99, fence, goal, fence, f"A{state.area}")
            word, tree = self.alone(freeze(files), place, call, fence)
            assert word == "done", f"I3: alone with v{goal} an engine ends {word}"
            self.check_end(dict(tree), goal)

    def alone(self, files: Tree, place: Hashable, call: Call | str, counter: int) -> tuple[str, Tree]:
        path: list[tuple[Tree, Hashable]] = []
        while place is not None and (files, place) not in self.ends:
            path.append((files, place))
            now = dict(files)
            assert not isinstance(call, str)
            said: Any = max(counter, call[1]) + 1 if call[0] == "renew" else self.answer(now, call, 99)
            place, call = self.places.go(place, said)
            files = freeze(now)
            assert len(path) < 500, "I3: an engine alone comes to no end"
        end = self.ends[files, place] if place is not None else (str(call), files)
        self.ends.update(dict.fromkeys(path, end))
        return end


def with_(state: State, **changes: Any) -> State:
    values = {name: getattr(state, name) for name in State.__slots__}
    return State(**{**values, **changes})


def freeze(files: dict[str, Any]) -> Tree:
    return tuple(sorted(files.items(), key=lambda item: item[0]))


def close(files: dict[str, Any], number: int) -> None:
    """An engine's handles go with it: what was half written stays so."""
    for path, held in files.items():
        if held == ("half", number):
            files[path] = "torn"


def move_area(files: dict[str, Any], area: str, to: str) -> None:
    for name in [name for name in files if name == area or name.startswith(area + "/")]:
        files[to + name[len(area) :]] = files.pop(name)


def history(came: Mapping[Any, tuple[Any, str]], state: Any) -> list[str]:
    lines = []
    while state is not None:
        state, label = came[state]
        lines.append(label)
    return lines[::-1]


def live(files: dict[str, Any] | Tree) -> dict[str, Any]:
    return {
        path[2:]: held for path, held in dict(files).items() if path.startswith("L/") and held != FOLDER and path != "L/foreign"
    }


def record(files: dict[str, Any] | Tree) -> tuple[str, int, int, str] | None:
    return next((held for path, held in dict(files).items() if path.endswith("/M/slip")), None)


def noted(files: dict[str, Any]) -> Any:
    return next((held for path, held in files.items() if path.endswith("/next")), None)


def stale(after: State, label: str) -> bool:
    """Whether this was a call of an engine after which another took the token."""
    tokens = [
        path.rpartition(".")[2]
        for path in dict(after.files)
        if path.count("/") == 2 and path.startswith(f"A{after.area}/M/") and path[-4:] != "slip"
    ]
    newest = max((int(token) for token in tokens), default=0)
    return label.startswith("E") and " claims " not in label and int(label[1 : label.index(" ")]) < newest


def check_step(before: State, after: State, label: str) -> None:
    """I4 and I5."""
    if stale(after, label):
        assert live(before.files) == live(after.files), "I4: a stale engine changed a live file"
        assert record(before.files) == record(after.files), "I4: a stale engine changed the slip"
    old, new = record(before.files), record(after.files)
    assert not (old and new) or new[2] >= old[2], "I5: the serial went back"


def check_tree(files: dict[str, Any]) -> None:
    """I1, I2, I6 and I7."""
    now, note, slip = live(files), noted(files), record(files)
    assert files.get("L/foreign") == "theirs", "I6: a file that no slip lists is gone"
    assert WHOLE.issuperset(now.values()), f"I1: a torn file is live: {now}"
    if note is None:
        assert now == VERSIONS[slip[1] if slip else 0], f"I2: no release is noted, the slip is {slip}, live is {now}"
    if "p" in now:
        for path in VERSIONS[int(now["p"][1])]:
            assert path in now or (note and any(clash(path, other) for other in VERSIONS[note[1]])), (
                f"I7: {now['p']} is visible without {path}"
            )


def check_end(files: dict[str, Any], goal: int) -> None:
    slip = record(files)
    assert live(files) == VERSIONS[goal], f"I3: v{goal} succeeded and left {live(files)}"
    assert (slip[1] if slip else 0) == goal, f"I3: v{goal} succeeded and the slip is {slip}"
    folders = {path[2:] for path, held in files.items() if path.startswith("L/") and held == FOLDER}
    assert folders == {parent(path) for path in VERSIONS[goal] if "/" in path}, f"I3: v{goal} left the folders {folders}"
    residue = [path for path in files if path.startswith("A") and path.count("/") > 1 and not path.endswith("/M/slip")]
    assert len(residue) == 1, f"I3: v{goal} left {residue}"
