"""A module that is not there yet becomes visible by one rename: what that takes, decided from the note. Pure.

In the holder's folder: `s:<tag>:whole` the module's folder to be, with every file in it; `s:<tag>:parts` the same, once
something else was found in its place: its files are renamed one by one then, as in any other release.
"""

from collections.abc import Iterable
from dataclasses import replace

from targets.area import PUBLIC_SLIP, Held, staged
from targets.disk import Call, Op
from targets.note import Note, Part, Put

WHOLE_NAME, PARTS_NAME = "whole", "parts"


def stand_call(note: Note, held: Held) -> Call:
    """All files at once, and the folders in which they lie."""
    return Call(Op.RENAME, held.inside(staged(note.tag, WHOLE_NAME)), held.live(""))


def part_call(note: Note, held: Held) -> Call:
    """What says to everybody, whoever dies now, that this release is made visible file by file."""
    return Call(Op.RENAME, held.inside(staged(note.tag, WHOLE_NAME)), held.inside(staged(note.tag, PARTS_NAME)))


def in_parts(note: Note, files: Iterable[Put]) -> Note:
    """The same release file by file. Of `files`, only where they go and when counts."""
    puts = (Put(f"{PARTS_NAME}/{put.path}", put.path, put.part) for put in files)
    return replace(note, whole=False, puts=(*puts, Put(f"{PARTS_NAME}/{PUBLIC_SLIP}", PUBLIC_SLIP, Part.PUBLIC)))
