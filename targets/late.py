"""A release that became visible later than its slip says: the grace of what became stale by it counts anew."""

from dataclasses import replace

import structlog

from targets.area import staged
from targets.departing import later
from targets.disk import Call, Op
from targets.hold import Hold
from targets.note import Note
from targets.records import read_record
from targets.small import slip_document, small_write

log = structlog.get_logger(__name__)

LATER_NAME = "later"
"""The last part of a staged commit record that differs from the live one in a moment only."""


def count_anew(hold: Hold, note: Note) -> None:
    """Correct the slip if that is so, before the note goes that tells of it. Raises Fenced, TransientTargetError.

    Its engine may have died at once, and the next one come after hours: the grace would be over when it begins.
    """
    since = note.since
    if since is None or (now := hold.claim.now()) <= since:
        return
    names, target = hold.names, hold.target
    slip = read_record(hold.disk, names.slip, note.url, target)
    if slip is None or later(slip.stale, since, now) == slip.stale:
        return
    path = names.inside(staged(names.token, LATER_NAME))
    if staged(names.token, LATER_NAME) in hold.listing():
        # Of our own attempt before this one, which was cut.
        hold.run([Call(Op.UNLINK, path)])
    document = slip_document(replace(slip, stale=later(slip.stale, since, now)))
    try:
        list(hold.disk.write([small_write(path, document, None, sync=hold.options.syncs)]))
    except FileNotFoundError as error:
        raise hold.fenced() from error
    hold.rename(path, names.slip)
    log.info("grace counts anew", target=target, url=note.url, since=now)
