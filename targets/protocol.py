"""What finishing a release still takes, decided from its note and from what lies on the target. Pure: values to calls.

The same decisions serve the release's own engine and any that takes over from it. What remains to do is what is still
staged: a staged file that is gone was renamed to its live name, because nothing else ever moves it.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from targets.area import SLIP, Held, all_parents, deepest_first, live_folders, parents, staged
from targets.disk import Call, Entry, EntryType, Op
from targets.note import Drop, Note, Put
from targets.turn import LINK_NAME, PUBLIC_NAME, TREE_NAME
from targets.whole import WHOLE_NAME

SLIP_NAME = "slip"
"""The staged commit record's last part."""

Lives = Mapping[str, Entry | None]
"""What lies at live names, by path in the module."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is still staged of a release."""

    puts: tuple[Put, ...]
    slip: bool


def remaining(note: Note, names: Collection[str] | None) -> Remaining:
    """What a listing of the holder's folder says is still to be renamed; None: all of a release without trees."""
    if names is None:
        return Remaining(note.puts, note.publish)
    begin = staged(note.tag, "")
    puts = tuple(put for put in note.puts if begin + put.name in names)
    return Remaining(puts, staged(note.tag, SLIP_NAME) in names)


def begun(note: Note, names: Collection[str]) -> bool:
    """Whether anything of a release may be visible already, by a listing of the holder's folder.

    A live folder may have been made without a trace here; it is empty then. A tree that stands but is not linked is nobody's yet.
    """
    todo = remaining(note, names)
    if note.turn is not None and note.turn.to is not None:
        untouched = any(staged(note.tag, name) in names for name in (TREE_NAME, LINK_NAME, PUBLIC_NAME))
    elif note.whole:
        untouched = staged(note.tag, WHOLE_NAME) in names
    else:
        untouched = len(todo.puts) == len(note.puts) and todo.slip == note.publish
    return not untouched or any(name.startswith(("t:", "d:")) for name in names)


def same_name(path: str, fold: bool) -> str:
    """Equal for two paths that are one file on the target."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()) if fold else path


class HasPath(Protocol):
    """A file of the module, whatever else is known of it."""

    @property
    def path(self) -> str: ...


_Leaving = TypeVar("_Leaving", bound=HasPath)


def in_the_way(drops: Iterable[_Leaving], paths: Collection[str], *, fold: bool) -> tuple[_Leaving, ...]:
    """Those files that must go before others can be put at these paths.

    A file where a folder must be, a file below a path that becomes a file, or (`fold`) the same name in another case.
    """
    leaving = tuple(drops)
    if not leaving:
        return ()
    files = {same_name(path, fold) for path in paths}
    folders = all_parents(files)

    def blocks(drop: _Leaving) -> bool:
        path = same_name(drop.path, fold)
        return path in files or path in folders or not files.isdisjoint(parents(path))

    return tuple(drop for drop in leaving if blocks(drop))


def way_drops(note: Note, puts: Iterable[Put]) -> tuple[Drop, ...]:
    """The note's drops that stand in the way of these puts."""
    if not note.drops:
        return ()
    return in_the_way(note.drops, {put.path for put in puts}, fold=note.fold)


def clear_way(note: Note, held: Held, todo: Remaining, live: Lives) -> tuple[Call, ...]:
    """Step 13: names in the way of a put that is still staged go to the trash, only while they are files."""
    if not note.drops and not note.folders:
        return ()
    drops = way_drops(note, todo.puts)
    files = {same_name(put.path, note.fold) for put in todo.puts}
    hollow = {folder for folder in note.folders if same_name(folder, note.fold) in files or not files.isdisjoint(parents(folder))}
    emptied = all_parents(drop.path for drop in drops) - all_parents(put.path for put in todo.puts)
    return trash(note, held, drops, live) + remove_folders(held, emptied | hollow)


def trash(note: Note, held: Held, drops: Iterable[Drop], live: Lives) -> tuple[Call, ...]:
    """Renames of dropped files into the holder's folder; what has become a folder meanwhile is somebody else's."""
    place = {drop.path: number for number, drop in enumerate(note.drops)}
    there = (drop.path for drop in drops if is_file(live.get(drop.path)))
    return tuple(Call(Op.RENAME, held.live(path), held.inside(f"t:{place[path]}")) for path in there)


def is_file(entry: Entry | None) -> bool:
    """Whether this is something that a drop may take away: a file, or a link that somebody put in its place."""
    return entry is not None and entry.type in {EntryType.FILE, EntryType.LINK}


def remove_folders(held: Held, folders: Iterable[str]) -> tuple[Call, ...]:
    """Removal of folders that may be empty now; the server refuses the others."""
    return tuple(Call(Op.RMDIR, path) for path in deepest_first(held.live(folder) for folder in folders))


def needed_folders(note: Note, held: Held, puts: Iterable[Put]) -> tuple[str, ...]:
    """Live folders that puts need, relative to the root, outermost first: the module's own, those above it, those in it.

    A whole one brings all but those above it.
    """
    wanted = all_parents([held.live("")]) if note.whole else live_folders(held.url, [put.path for put in puts])
    return tuple(sorted(wanted, key=lambda folder: (folder.count("/"), folder)))


def make_folders(held: Held, folders: Iterable[str], live: Lives, mode: int) -> tuple[tuple[Call, ...], tuple[Call, ...]]:
    """Step 14: what is not there is made in the holder's folder, then renamed out, so that a stale engine makes none."""
    missing = [folder for folder in folders if live.get(folder) is None]
    born = [held.inside(f"d:{number}") for number in range(len(missing))]
    moves = tuple(Call(Op.RENAME, path, folder) for path, folder in zip(born, missing, strict=True))
    return tuple(Call(Op.MKDIR, path, mode=mode) for path in born), moves


def unmake_folders(note: Note, held: Held) -> tuple[Call, ...]:
    """Removal of those folders that a release which is taken back may have made; the server refuses all that hold anything."""
    return tuple(Call(Op.RMDIR, folder) for folder in deepest_first(needed_folders(note, held, note.puts)))


def put_calls(note: Note, held: Held, puts: Collection[Put]) -> tuple[Call, ...]:
    """Step 15: the renames of some files."""
    begin, rename = held.inside(staged(note.tag, "")), Op.RENAME
    places = held.all_live(put.path for put in puts)
    return tuple(Call(rename, begin + put.name, place) for put, place in zip(puts, places, strict=True))


def slip_call(note: Note, held: Held) -> Call:
    """Step 16."""
    return Call(Op.RENAME, held.inside(staged(note.tag, SLIP_NAME)), held.slip)


def stale_drops(note: Note) -> tuple[Drop, ...]:
    """Step 17: the drops that no put had to wait for."""
    waited = set(way_drops(note, note.puts))
    return tuple(drop for drop in note.drops if drop not in waited)


def withdraw_slip(held: Held) -> Call:
    """Step 18: the end of an unpublish."""
    return Call(Op.RENAME, held.slip, held.inside(f"t:{SLIP}"))


def emptied_folders(note: Note) -> set[str]:
    """Folders that the drops may have left empty, relative to the module; "" is the module's own, but never the root."""
    folders = all_parents(drop.path for drop in note.drops)
    return folders | {""} if note.drops and note.url != "/" else folders


def sync_after(renames: Sequence[Call], *, every: bool) -> tuple[Call, ...]:
    """fsync of what was just renamed: of one file, which commits the earlier renames too, or of each."""
    return tuple(Call(Op.SYNC, call.to) for call in (renames if every else renames[-1:]))
