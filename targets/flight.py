"""The switch of a prepared release in one flight, where the disk goes on by itself: steps 14 to 16, and 19 if that is all.

Each call is made only if all before it were, so nothing happens that would not have happened with a wait in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from targets import arrival, protocol, whole
from targets.disk import Answer, Call, Entry, Op, Script
from targets.ground import refuse_links
from targets.hold import Hold
from targets.note import Note, Part


@dataclass(frozen=True, slots=True)
class Flown:
    """What became of it: the first call that failed, and whether every folder that is new went to its place."""

    failed: Call | None
    moved: bool
    records: Sequence[Entry | None] | None
    """The commit record as it lies there once the note is gone; None: the note is there."""


def fly(hold: Hold, note: Note, live: protocol.Lives, *, bare: bool) -> Flown | None:
    """None, and nothing was done, where something has to be known in between.

    `live`: what lies at the live folders that are needed. `bare`: nothing but what the note names lies in the holder's folder.
    Raises what a replay does.
    """
    if hold.options.syncs or note.turn or note.folders or protocol.way_drops(note, note.puts):
        return None
    refuse_links(hold.target, live)
    made, moves = protocol.make_folders(hold.names, live, live, hold.options.folder_mode)
    seen = _visible(hold, note)
    ends = [Call(Op.UNLINK, hold.names.note)] if bare and note.since is None else []
    calls = [*seen, protocol.slip_call(note, hold.names), *ends]
    done = hold.carry_out(Script(calls, first=[*made, *moves], stats=[hold.names.slip]))
    if done is None:
        return None
    moved = all(answer is Answer.OK for answer in done.first)
    answer = done.calls[-1]
    if answer is Answer.OK:
        return Flown(None, moved, done.stats if ends else None)
    hold.refuse_denied([*made, *moves], done.first)
    failed = calls[len(done.calls) - 1]
    if note.whole and failed is seen[0]:
        arrival.go_in_parts(hold, note, failed, answer)
        return Flown(failed, moved, None)
    hold.refuse_denied([failed], [answer])
    if ends and failed is ends[0]:
        hold.expect(failed, answer)
    return Flown(failed, moved, None)


def _visible(hold: Hold, note: Note) -> list[Call]:
    """What makes the release visible: all of it, or assets, pages, and the public copy of the slip."""
    if note.whole:
        return [whole.stand_call(note, hold.names)]
    puts = [put for part in (Part.ASSET, Part.PAGE, Part.PUBLIC) for put in note.puts if put.part is part]
    return list(protocol.put_calls(note, hold.names, puts))
