"""What turning a versioned module to another release takes, decided from the note and from what is still staged. Pure.

In the holder's folder: `s:<tag>:tree` the release to be, `s:<tag>:own` its slip, `s:<tag>:link` the link that leads to it; and
`s:<tag>:public` a new public slip for a release that stands there already. In the trash: `t:link` the link that goes, `t:r<n>`
releases that are no longer kept.
"""

from collections.abc import Collection, Iterable

from targets.area import PUBLIC_SLIP, Held, all_parents, staged
from targets.disk import Call, Op
from targets.note import Note, Turn
from targets.shelf import Shelf

TREE_NAME, OWN_NAME, LINK_NAME, PUBLIC_NAME = "tree", "own", "link", "public"


def shelf_of(note: Note, turn: Turn) -> Shelf:
    return Shelf(turn.folder, note.url)


def turns(note: Note, names: Collection[str]) -> bool:
    """Whether the link is still to be renamed."""
    return staged(note.tag, LINK_NAME) in names


def folders(note: Note, turn: Turn, held: Held) -> tuple[str, ...]:
    """Live folders that the release and the link need, outermost first."""
    if turn.to is None:
        return ()
    shelf = shelf_of(note, turn)
    wanted = all_parents([held.live(""), shelf.release(turn.to)])
    return tuple(sorted(wanted, key=lambda folder: (folder.count("/"), folder)))


def stand_calls(note: Note, turn: Turn, held: Held, names: Collection[str]) -> tuple[Call, ...]:
    """The renames that make the release stand complete beside the others, its slip last."""
    if turn.to is None:
        return ()
    shelf = shelf_of(note, turn)
    places = {
        TREE_NAME: shelf.release(turn.to),
        OWN_NAME: shelf.slip(turn.to),
        PUBLIC_NAME: f"{shelf.tree(turn.to)}/{PUBLIC_SLIP}",
    }
    there = ((held.inside(staged(note.tag, name)), place) for name, place in places.items() if staged(note.tag, name) in names)
    return tuple(Call(Op.RENAME, source, place) for source, place in there)


def moved_last(note: Note, turn: Turn) -> tuple[str, ...]:
    """The files that `stand_calls` renames last: their sync commits what was renamed before."""
    shelf = shelf_of(note, turn)
    return (shelf.slip(turn.to), f"{shelf.tree(turn.to)}/{PUBLIC_SLIP}") if turn.to else ()


def link_call(note: Note, held: Held) -> Call:
    """The commit: who resolves the link before it sees the old release, who does so after it the new one."""
    return Call(Op.RENAME, held.inside(staged(note.tag, LINK_NAME)), held.live(""))


def leave_call(held: Held) -> Call:
    """The link goes."""
    return Call(Op.RENAME, held.live(""), held.inside("t:link"))


def expire_calls(note: Note, turn: Turn, held: Held) -> tuple[Call, ...]:
    """Releases into the trash, whole; one that is not there went before."""
    shelf = shelf_of(note, turn)
    return tuple(Call(Op.RENAME, shelf.release(name), held.inside(f"t:r{number}")) for number, name in enumerate(turn.expired))


def empty_calls(note: Note, turn: Turn) -> tuple[Call, ...]:
    """Folders of releases that may be empty now."""
    return (Call(Op.RMDIR, shelf_of(note, turn).root), Call(Op.RMDIR, turn.folder))


def expired(names: Iterable[str], to: str, live: str | None, keep: int) -> tuple[str, ...]:
    """Releases that go when `to` becomes live: all but so many, `to` included. `names`: the newest first.

    What was live last is kept before all others; another one with the tree of `to` has been replaced by it, perhaps because it
    was damaged.
    """
    ending = to.partition("=")[2]
    others = sorted((name for name in names if name != to), key=lambda name: name != live)
    twins = [name for name in others if name.partition("=")[2] == ending]
    kept = [name for name in others if name not in twins][: keep - 1]
    return tuple(name for name in others if name not in kept)
