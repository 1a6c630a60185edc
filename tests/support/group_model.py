"""A model of groups: what a member does is a few atomic steps, each of which the model of the commit protocol takes apart.

A member is (token, note, page, assets, slip): the fence that holds it; what is prepared there, (goal, serial, done), `done`
counting what of it was renamed; the version of the page that visitors get; the versions whose assets lie there; the commit
record (goal, serial). Version 0 is no version: an unpublish. An engine is a generator that yields one step for one member and
gets the answer: "down" where the member does not answer, and then nobody knows whether the step was made.
"""

from collections.abc import Generator
from typing import Any

from packageslip import Packageslip
from targets import Unfinished
from targets.group import finishable

Note = tuple[int, int, int]
Member = tuple[int, Note | None, int, frozenset[int], tuple[int, int]]
Step = tuple[Any, ...]
Program = Generator[Step, Any, str]

ASSETS, PAGE, SLIP, DROP = 1, 2, 3, 4


def apply(member: Member, step: Step) -> tuple[Member, Any]:
    """Make one step: the member as it is then, and the answer."""
    verb, fence = step[0], step[2]
    token, note, page, assets, slip = member
    if verb == "take":
        return (member, "fenced") if token > fence else ((fence, note, page, assets, slip), "mine")
    if token != fence:
        return member, "fenced"
    if verb == "look":
        return member, (note, slip)
    if verb == "note":
        return (token, (*step[3], 0), page, assets, slip), "ok"
    if verb == "withdraw":
        return (token, None, page, assets, slip), "ok"
    assert note is not None, f"{step} without a note"
    if verb == "clean":
        return (token, None, page, assets, slip), "ok"
    return replayed(member, verb), "ok"


def replayed(member: Member, part: int) -> Member:
    """One part of finishing what is noted; an unpublish takes the page first and the record last."""
    token, note, page, assets, slip = member
    assert note is not None
    goal, serial, done = note
    if part == PAGE or (part == ASSETS and not goal):
        page = goal
    if part == ASSETS and goal:
        assets |= {goal}
    if part == DROP:
        assets = frozenset({goal} - {0})
    if (part == SLIP and goal) or (part == DROP and not goal):
        slip = (goal, serial)
    return token, (goal, serial, max(done, part)), page, assets, slip


def engine(goal: int, fence: int, serial: int, members: int, quorum: int) -> Program:
    """One task. Ends with "done", or "fenced", or "waits": too few members answer."""
    left: tuple[int, ...] = tuple(range(members))
    seen: tuple[tuple[int, Note | None, tuple[int, int]], ...] = ()
    for member in range(members):
        word = yield "take", member, fence
        found = (yield "look", member, fence) if word == "mine" else word
        if found == "fenced":
            return "fenced"
        if found == "down":
            left = tuple(each for each in left if each != member)
            if len(left) < quorum:
                return "waits"
        else:
            seen = (*seen, (member, *found))
    word = yield from settle(fence, seen, quorum)
    if isinstance(word, str):
        return word
    left = tuple(each for each in left if each not in word)
    return (yield from release(goal, fence, serial, left, quorum)) if len(left) >= quorum else "waits"


def settle(fence: int, seen: tuple[tuple[int, Note | None, tuple[int, int]], ...], quorum: int) -> Generator[Step, Any, Any]:
    """Finish or take back what is prepared; the members that do not answer, or "fenced"."""
    lost: tuple[int, ...] = ()
    for member, note, _ in seen:
        if note is None:
            continue
        if is_finishable(note, seen, quorum):
            word = yield from finish(member, fence)
        else:
            word = yield "withdraw", member, fence
        if word == "fenced":
            return "fenced"
        if word == "down":
            lost = (*lost, member)
    return lost


def is_finishable(note: Note, seen: tuple[tuple[int, Note | None, tuple[int, int]], ...], quorum: int) -> bool:
    """As the program itself decides."""
    found = [(unfinished(other) if other else None, record(slip)) for _, other, slip in seen]
    return finishable(unfinished(note), found, quorum)


def unfinished(note: Note) -> Unfinished:
    return Unfinished(note[1], bytes([note[0]]) if note[0] else None, note[2] > 0)


def record(slip: tuple[int, int]) -> Packageslip | None:
    return Packageslip("/m", version=bytes([slip[0]]), serial=slip[1]) if slip[0] else None


def release(goal: int, fence: int, serial: int, left: tuple[int, ...], quorum: int) -> Program:
    """All prepare, then all switch."""
    prepared: tuple[int, ...] = ()
    for member in left:
        word = yield "note", member, fence, (goal, serial)
        if word == "ok":
            prepared = (*prepared, member)
        elif word == "fenced" or len(left) - 1 < quorum:
            yield from withdraw(fence, prepared)
            return "fenced" if word == "fenced" else "waits"
        else:
            left = tuple(each for each in left if each != member)
    done = 0
    for member in prepared:
        word = yield from finish(member, fence)
        if word == "fenced":
            return "fenced"
        done += word == "ok"
    return "done" if done >= quorum else "waits"


def withdraw(fence: int, prepared: tuple[int, ...]) -> Generator[Step, Any, None]:
    for member in prepared:
        yield "withdraw", member, fence


def finish(member: int, fence: int) -> Generator[Step, Any, str]:
    """What is noted becomes visible: assets, page, record, drops; then the note goes."""
    for part in (ASSETS, PAGE, SLIP, DROP, "clean"):
        word = yield part, member, fence
        if word != "ok":
            return str(word)
    return "ok"
