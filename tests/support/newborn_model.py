"""A model of a module's first publication: where nothing lies at its place, its whole folder goes there by one rename.

Taking over, and any other release, is that of `protocol_model.py`. `L` is the module's own folder; somebody may make it at any moment.
"""

from collections.abc import Generator
from typing import Any

from support import protocol_model as model
from support.protocol_model import FOLDER, VERSIONS, Call, Program, parent, stage_name, take


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
            return "held"
        break
    if goal and not slip and (yield "get", "L") is None:
        return (yield from release(area, mine, goal, serial))
    return (yield from model.release(area, mine, goal, serial, slip[1] if slip else 0))


def recover(area: str, mine: str) -> Generator[Call, Any, bool]:
    """5 and 6; False if somebody took over."""
    there = yield "list", mine
    if there is None:
        return False
    note = (yield "get", f"{mine}/next") if "next" in there else None
    if note and len(note) > 4:
        return (yield from finish(area, mine, note))
    if note:
        return (yield from model.finish(area, mine, note))
    return (yield from clear(mine))


def release(area: str, mine: str, goal: int, serial: int) -> Program:
    """8 to 20."""
    tag = mine.rpartition("/")[2]
    whole = f"{mine}/s:{tag}:whole"
    for folder in sorted({parent(f"{whole}/{path}") for path in VERSIONS[goal]} | {whole}):
        if not (yield "mkdir", folder):
            return "fenced"
    for path, content in tuple(VERSIONS[goal].items()):
        if not (yield "create", f"{whole}/{path}"):
            return "fenced"
        yield "fill", content
    note = ("note", goal, 0, tag, "whole")
    documents: tuple[tuple[str, Any], ...] = ((stage_name(tag, "slip"), ("slip", goal, serial, area)), ("note.tmp", note))
    for name, document in documents:
        if not (yield "create", f"{mine}/{name}"):
            return "fenced"
        yield "fill", document
    if not (yield "mv", f"{mine}/note.tmp", f"{mine}/next"):
        return "fenced"
    return "done" if (yield from finish(area, mine, note)) else "fenced"


def finish(area: str, mine: str, note: tuple[Any, ...]) -> Generator[Call, Any, bool]:
    """11 to 19, for one's own note and a dead engine's; False if somebody took over."""
    goal, tag = note[1], note[3]
    while True:
        there = yield "list", mine
        if there is None:
            return False
        if f"s:{tag}:whole" in there and not (yield from stand(mine, tag)):
            continue
        if f"s:{tag}:parts" in there and not (yield from put(f"{mine}/s:{tag}:parts", mine, goal)):
            continue
        if stage_name(tag, "slip") not in there or (yield "mv", f"{mine}/{stage_name(tag, 'slip')}", f"{area}/M/slip"):
            return (yield from clear(mine))


def stand(mine: str, tag: str) -> Generator[Call, Any, bool]:
    """All at once; if that is refused, it is said for everybody who comes that it goes file by file."""
    if (yield "mv", f"{mine}/s:{tag}:whole", "L"):
        return True
    yield "mv", f"{mine}/s:{tag}:whole", f"{mine}/s:{tag}:parts"
    return False


def put(parts: str, mine: str, goal: int) -> Generator[Call, Any, bool]:
    """What is left of the files, the page last; False: look again."""
    here = (yield "list", parts) or ()
    inner = (yield "list", f"{parts}/a") or ()
    paths = frozenset({*here, *(f"a/{name}" for name in inner)})
    todo = tuple(sorted(paths.intersection(VERSIONS[goal]), key=lambda path: (path == "p", path)))
    for path in todo:
        for folder in ("L", "L/a") if "/" in path else ("L",):
            yield "mkdir", f"{mine}/d:{folder.replace('/', '.')}"
            yield "mv", f"{mine}/d:{folder.replace('/', '.')}", folder
        if not (yield "mv", f"{parts}/{path}", f"L/{path}"):
            return False
    return True


def clear(mine: str) -> Generator[Call, Any, bool]:
    """6 and 19: what lies in the folder to be goes before that, the note before all else."""
    there = yield "list", mine
    if there is None:
        return False
    if "next" in there:
        yield "rm", f"{mine}/next"
    for name in there:
        if name.endswith((":whole", ":parts")):
            yield from remove(f"{mine}/{name}")
    return (yield from model.clear(mine))


def remove(folder: str) -> Generator[Call, Any, None]:
    """A folder with all that is in it."""
    inner = (yield "list", folder) or ()
    for name in inner:
        if (yield "get", f"{folder}/{name}") == FOLDER:
            yield from remove(f"{folder}/{name}")
        else:
            yield "rm", f"{folder}/{name}"
    yield "rmdir", folder
