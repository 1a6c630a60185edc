"""A model of the commit protocol: a server of a few names, engines that make one call at a time, every order of their calls.

An engine is a generator: it yields a call and gets the server's answer, step by step as the protocol is written down. What it
would do next depends only on where it stands and on its variables; `protocol_exploration.py` makes use of that.
"""

from collections.abc import Generator
from typing import Any

VERSIONS: dict[int, dict[str, str]] = {
    0: {},
    1: {"p": "p1", "a": "a1", "b": "b1"},
    2: {"p": "p2", "a/x": "x2", "b": "b1"},
    3: {"p": "p3", "b": "b3"},
}
"""What a task can want: 0 is an unpublish. From 1 to 2 a file becomes a folder. `p` is the page; it uses the rest of its version."""
WHOLE = {content for files in VERSIONS.values() for content in files.values()}
FOLDER = "/"

Call = tuple[Any, ...]
Program = Generator[Call, Any, str]


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def answer(files: dict[str, Any], call: Call, engine: int) -> Any:
    """Make one call: True or False for a change, what is there for a look. Changes `files`."""
    verb, path = call[0], call[1]
    if verb == "list":
        return names(files, path) if files.get(path) == FOLDER else None
    if verb == "get":
        return files.get(path)
    if verb == "fill":
        return fill(files, path, engine)
    if verb == "mkdir" or verb == "create":
        if path in files or files.get(parent(path)) != FOLDER:
            return False
        files[path] = FOLDER if verb == "mkdir" else ("half", engine)
        return True
    if verb == "mv":
        return move(files, path, call[2])
    if path not in files or (files[path] == FOLDER) != (verb == "rmdir") or names(files, path):
        return False
    del files[path]
    return True


def names(files: dict[str, Any], folder: str) -> tuple[str, ...]:
    return tuple(sorted(path[len(folder) + 1 :] for path in files if parent(path) == folder))


def fill(files: dict[str, Any], content: Any, engine: int) -> bool:
    """Through the open handle, wherever the file has been moved to."""
    for path, held in files.items():
        if held == ("half", engine):
            files[path] = content
    return True


def move(files: dict[str, Any], path: str, to: str) -> bool:
    if path not in files or files.get(parent(to)) != FOLDER:
        return False
    if to in files and ((files[path] == FOLDER) != (files[to] == FOLDER) or names(files, to)):
        return False
    for name in [name for name in files if name == path or name.startswith(path + "/")]:
        files[to + name[len(path) :]] = files.pop(name)
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
    return (yield from release(area, mine, goal, serial, slip[1] if slip else 0))


def take(area: str, mine: str, fence: int) -> Generator[Call, Any, str | int]:
    """1 to 4. `mine`, `again`, `gone`, or the fence that stands against ours."""
    there = yield "list", f"{area}/M"
    if not there:
        if (yield "list", f"{area}/W") is None:
            return "gone"
        born = f"{area}/W/{mine.rpartition('/')[2]}"
        token = f"{born}/{mine.rpartition('/')[2]}"
        made = yield "mkdir", born
        inner = yield "mkdir", token
        moved = yield "mv", born, f"{area}/M"
        if not (made and inner and moved):
            yield "rmdir", token
            yield "rmdir", born
        return "again"
    token = max(name for name in there if name != "slip")
    found = f"{area}/M/{token}"
    if found != mine:
        if int(token[:2]) >= fence:
            return int(token[:2])
        if not (yield "mv", found, mine):
            return "again"
    births = (yield "list", f"{area}/W") or ()
    for birth in births:
        yield "mv", f"{area}/W/{birth}", f"{mine}/j:{birth}"
    return "mine"


def recover(area: str, mine: str) -> Generator[Call, Any, bool]:
    """5 and 6; False if somebody took over."""
    there = yield "list", mine
    if there is None:
        return False
    if "next" in there:
        note = yield "get", f"{mine}/next"
        return bool(note) and (yield from finish(area, mine, note))
    return (yield from clear(mine))


def release(area: str, mine: str, goal: int, serial: int, before: int) -> Program:
    """8 to 20."""
    if not goal and not before:
        return "done"
    tag = mine.rpartition("/")[2]
    staged = tuple(path for path, content in VERSIONS[goal].items() if VERSIONS[before].get(path) != content)
    for path in staged:
        if not (yield "create", f"{mine}/{stage_name(tag, path)}"):
            return "fenced"
        yield "fill", VERSIONS[goal][path]
    if goal:
        if not (yield "create", f"{mine}/{stage_name(tag, 'slip')}"):
            return "fenced"
        yield "fill", ("slip", goal, serial, area)
    if not (yield "create", f"{mine}/note.tmp"):
        return "fenced"
    note = ("note", goal, before, tag)
    yield "fill", note
    if not (yield "mv", f"{mine}/note.tmp", f"{mine}/next"):
        return "fenced"
    return "done" if (yield from finish(area, mine, note)) else "fenced"


def finish(area: str, mine: str, note: tuple[str, int, int, str]) -> Generator[Call, Any, bool]:
    """11 to 19, for one's own note and a dead engine's; False if somebody took over."""
    goal, tag = note[1], note[3]
    new = tuple(VERSIONS[goal])
    stale = tuple(sorted((path for path in VERSIONS[note[2]] if path not in new), key=lambda path: (path != "p", path)))
    way = tuple(path for path in stale if any(clash(path, other) for other in new))
    again = True
    while again:
        again = False
        there = yield "list", mine
        if there is None:
            return False
        todo = tuple(sorted((path for path in new if stage_name(tag, path) in there), key=lambda path: (path == "p", path)))
        for path in way:
            if any(clash(path, other) for other in todo):
                yield from drop(mine, path)
        for path in todo:
            if "/" in path:
                yield "mkdir", f"{mine}/d:{parent(path)}"
                yield "mv", f"{mine}/d:{parent(path)}", f"L/{parent(path)}"
        for path in todo:
            if not again:
                again = not (yield "mv", f"{mine}/{stage_name(tag, path)}", f"L/{path}")
        if not again and stage_name(tag, "slip") in there:
            again = not (yield "mv", f"{mine}/{stage_name(tag, 'slip')}", f"{area}/M/slip")
    for path in stale:
        if path not in way:
            yield from drop(mine, path)
    if not goal:
        yield "mv", f"{area}/M/slip", f"{mine}/t:slip"
    return (yield from clear(mine))


def drop(mine: str, path: str) -> Generator[Call, Any, None]:
    there = yield "get", f"L/{path}"
    if there not in (None, FOLDER):
        yield "mv", f"L/{path}", f"{mine}/t:{path.replace('/', '.')}"
    if "/" in path:
        yield "rmdir", f"L/{parent(path)}"


def clear(mine: str) -> Generator[Call, Any, bool]:
    """6 and 19: the note before all else."""
    there = yield "list", mine
    if there is None:
        return False
    if "next" in there:
        yield "rm", f"{mine}/next"
    for name in there:
        if name.startswith("j:"):
            inner = (yield "list", f"{mine}/{name}") or ()
            for token in inner:
                yield "rmdir", f"{mine}/{name}/{token}"
        if name != "next":
            yield "rmdir" if name[:2] in ("j:", "d:") else "rm", f"{mine}/{name}"
    return True


def stage_name(tag: str, path: str) -> str:
    return f"s:{tag}:{path.replace('/', '.')}"


def clash(one: str, other: str) -> bool:
    return one.startswith(other + "/") or other.startswith(one + "/")
