"""A whole module goes to its place; or, where something lies there by now, it is left to go file by file."""

from collections.abc import Sequence

from targets import whole
from targets.area import PUBLIC_SLIP, staged
from targets.departing import part_of
from targets.disk import Answer, Call, Op
from targets.hold import Hold
from targets.note import Note, Put
from targets.protocol import SLIP_NAME
from targets.records import read_record

TOGETHER = 4096
"""Names that are synced or looked at together."""


def stand(hold: Hold, note: Note, moves: Sequence[Call]) -> tuple[Sequence[Answer], Call | None]:
    """Make these moves of folders above it, then the rename; what the moves came to, and the rename, if it was refused.

    Raises PermissionRefused where the account may not and nothing lies there: whoever makes that folder for it changes that.
    """
    call = whole.stand_call(note, hold.names)
    *moved, answer = hold.attempt([*moves, call])
    hold.refuse_denied(moves, moved)
    if answer is Answer.OK:
        return moved, None
    go_in_parts(hold, note, call, answer)
    return moved, call


def go_in_parts(hold: Hold, note: Note, call: Call, answer: Answer) -> None:
    """What follows from this refusal of the rename. Raises like `stand`."""
    if answer is Answer.DENIED and hold.disk.stat([call.to])[0] is None:
        hold.refuse_denied([call], [answer])
    if answer is not Answer.ABSENT:
        # Otherwise our folder is gone, or the one that it goes to: the next look says which.
        hold.run([whole.part_call(note, hold.names)])


def sync(hold: Hold, paths: Sequence[str]) -> None:
    """Commit the rename by the sync of one file; or sync each of these, and the public slip, if there is one."""
    live = [*map(hold.names.live, paths[:1])]
    if hold.options.syncs_each:
        live = [hold.names.live(path) for path in (*paths, PUBLIC_SLIP)]
    for start in range(0, len(live), TOGETHER):
        hold.insist([Call(Op.SYNC, path) for path in live[start : start + TOGETHER]])


def files_of(hold: Hold, note: Note) -> Sequence[Put]:
    """The files of a module that another engine has built, as its staged slip says; none once that is in its place."""
    slip = read_record(hold.disk, hold.names.inside(staged(note.tag, SLIP_NAME)), hold.names.url, hold.target)
    return [Put("", file.path, part_of(file)) for file in slip.files()] if slip else []


def left_in_parts(hold: Hold, note: Note) -> set[str]:
    """The staged names that are still there, of a module that goes file by file.

    Each is asked for: a server may list a name in another form than it was given, and what is not known to be there counts
    as put.
    """
    names = [staged(note.tag, put.name) for put in note.puts]
    left: set[str] = set()
    for start in range(0, len(names), TOGETHER):
        some = names[start : start + TOGETHER]
        there = hold.disk.stat([hold.names.inside(name) for name in some])
        left.update(name for name, entry in zip(some, there, strict=True) if entry is not None)
    return left
