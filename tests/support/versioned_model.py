"""A model of the commit protocol in the versioned layout: trees beside each other, a link, engines that make one call at a time.

Taking over is that of `protocol_model.py`. `L/m` is the module's link, `L/R/<release>/` a release with its slip in `own`; the part
of a release's name after `=` is its version, as the real one's is a digest.
"""

from collections.abc import Generator
from typing import Any

from support import protocol_model
from support.protocol_model import FOLDER, Call, Program, take

VERSIONS: dict[int, dict[str, str]] = {0: {}, 1: {"p": "p1", "b": "b1"}, 2: {"p": "p2", "b": "b1"}, 3: {"p": "p3", "b": "b3"}}
"""What a task can want: 0 is an unpublish. `b` is shared by 1 and 2, so that a release gets it by a hard link."""
KEEP = 2


def answer(files: dict[str, Any], call: Call, engine: int) -> Any:
    """Make one call; links and second names are new here."""
    verb, path = call[0], call[1]
    if verb not in {"ln", "symlink"}:
        return protocol_model.answer(files, call, engine)
    place = call[2] if verb == "ln" else path
    if place in files or files.get(protocol_model.parent(place)) != FOLDER or (verb == "ln" and path not in files):
        return False
    files[place] = files[path] if verb == "ln" else ("link", call[2])
    return True


def engine(me: int, fence: int, goal: int, serial: int, area: str) -> Program:
    """One task. Ends with `done`, or with the reason why it stopped."""
    while True:
        mine = f"{area}/M/{fence:02}.{me}"
        held = yield from take(area, mine, fence)
        if held == "again":
            continue
        if isinstance(held, int):
            fence = serial = yield "renew", held
            if not fence:
                return "fenced"
            continue
        if held == "gone" or not (yield from recover(area, mine)):
            return "fenced"
        slip = yield "get", f"{area}/M/slip"
        if slip and slip[2] > serial:
            if slip[3] == area:
                return "held"
            fence = serial = yield "renew", max(slip[2], fence)
            if not fence:
                return "fenced"
            continue
        break
    return (yield from release(area, mine, goal, serial))


def recover(area: str, mine: str) -> Generator[Call, Any, bool]:
    there = yield "list", mine
    if there is None:
        return False
    if "next" in there:
        note = yield "get", f"{mine}/next"
        return bool(note) and (yield from finish(area, mine, note))
    return (yield from clear(mine))


def release(area: str, mine: str, goal: int, serial: int) -> Program:
    """Build a tree, or find that it stands; note; turn."""
    link = yield "get", "L/m"
    live = link[1] if link else None
    found = yield "list", "L/R"
    standing = tuple(sorted((name for name in found if "=" in name), reverse=True))
    if not goal and not standing and not live:
        return "done"
    tag = mine.rpartition("/")[2]
    same = next((name for name in standing if name.endswith(f"={goal}")), None)
    to = (same or f"{tag}={goal}") if goal else None
    staged = (yield from stage(mine, tag, goal, ("slip", goal, serial, area), live, same)) if goal else True
    if staged and to and to != live:
        staged = yield "symlink", f"{mine}/s:{tag}:link", to
    if not staged or not (yield "create", f"{mine}/note.tmp"):
        return "fenced"
    note = ("note", goal, tag, to, expired(standing, to, live))
    yield "fill", note
    if not (yield "mv", f"{mine}/note.tmp", f"{mine}/next"):
        return "fenced"
    return "done" if (yield from finish(area, mine, note)) else "fenced"


def expired(standing: tuple[str, ...], to: str | None, live: str | None) -> tuple[str, ...]:
    others = sorted((name for name in standing if name != to), key=lambda name: name != live)
    return tuple(others[KEEP - 1 :]) if to else tuple(others)


def stage(mine: str, tag: str, goal: int, slip: Any, live: str | None, same: str | None) -> Generator[Call, Any, bool]:
    """The slip; and the tree, unless it stands."""
    made = yield "create", f"{mine}/s:{tag}:slip"
    yield "fill", slip
    if same or not made:
        return bool(made)
    tree = f"{mine}/s:{tag}:tree"
    made = yield "mkdir", tree
    before = int(live.rpartition("=")[2]) if live else 0
    for path, content in tuple(VERSIONS[goal].items()):
        if made and VERSIONS[before].get(path) == content:
            made = yield "ln", f"L/R/{live}/{path}", f"{tree}/{path}"
        elif made:
            made = yield "create", f"{tree}/{path}"
            yield "fill", content
    return bool(made and (yield "ln", f"{mine}/s:{tag}:slip", f"{mine}/s:{tag}:own"))


def finish(area: str, mine: str, note: Any) -> Generator[Call, Any, bool]:
    """For one's own note and a dead engine's; False if somebody took over."""
    _, goal, tag, to, going = note
    again = True
    while again:
        there = yield "list", mine
        if there is None:
            return False
        again = not (yield from turn(mine, tag, to, there))
        if not again and f"s:{tag}:slip" in there:
            again = not (yield "mv", f"{mine}/s:{tag}:slip", f"{area}/M/slip")
    if not goal:
        yield "mv", f"{area}/M/slip", f"{mine}/t:slip"
    for name in going:
        yield "mv", f"L/R/{name}", f"{mine}/t:r:{name}"
    return (yield from clear(mine))


def turn(mine: str, tag: str, to: str | None, there: tuple[str, ...]) -> Generator[Call, Any, bool]:
    """The tree to its place, its slip, the link; whether nothing failed."""
    if to is None:
        if (yield "get", "L/m"):
            yield "mv", "L/m", f"{mine}/t:link"
        return True
    for name, place in (("tree", f"L/R/{to}"), ("own", f"L/R/{to}/own"), ("link", "L/m")):
        if f"s:{tag}:{name}" in there and not (yield "mv", f"{mine}/s:{tag}:{name}", place):
            return False
    return True


def clear(mine: str) -> Generator[Call, Any, bool]:
    """The note before all else; trees with what is in them."""
    there = yield "list", mine
    if there is None:
        return False
    if "next" in there:
        yield "rm", f"{mine}/next"
    for name in there:
        inner = (yield "list", f"{mine}/{name}") if name.startswith(("j:", "t:r:")) or name.endswith(":tree") else None
        for file in inner or ():
            yield "rmdir" if name.startswith("j:") else "rm", f"{mine}/{name}/{file}"
        if name != "next":
            yield "rm" if inner is None else "rmdir", f"{mine}/{name}"
    return True
