"""Trying what the protocol needs of a target, and removing what nobody will come back for."""

import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing

from targets.area import PRIVATE, PROBE_PREFIX, Area
from targets.contract import Check
from targets.disk import Answer, Call, Disk, Op
from targets.errors import TargetError, TargetUnfit
from targets.hold import names_in, removals
from targets.options import PlacedOptions
from targets.small import small_write
from targets.territory import queues

FEW_BYTES, FEW_FILES = 100 * 1024 * 1024, 10_000
"""Free room under which a probe warns: a small course site."""


def probe(target: str, disk: Disk, options: PlacedOptions) -> list[Check]:
    """Real tries in a scratch folder of the area, each answered; the first failure ends them. Leaves nothing behind."""
    checks: list[Check] = []
    try:
        with closing(_tries(disk, options)) as tries:
            for what, ok, remedy in tries:
                checks.append(Check("ok" if ok else "failure", what, "" if ok else remedy))
                if not ok:
                    return checks
        checks += [_room(disk), *_area(disk, options, target)]
    except TargetError as error:
        checks.append(Check("failure", "using the target", str(error)))
    return checks


def _tries(disk: Disk, options: PlacedOptions) -> Generator[tuple[str, bool, str], None, None]:
    yield "the root folder is there", disk.stat([""])[0] is not None, "make the root folder, or mount it"
    made = disk.run([Call(Op.MKDIR, options.area, mode=PRIVATE)])[0] is Answer.OK
    nonce = secrets.token_hex(4)
    scratch, live = f"{options.area}/{PROBE_PREFIX}{nonce}", f".slipway-{PROBE_PREFIX}{nonce}"
    try:
        yield (
            "folders can be made",
            disk.run([Call(Op.MKDIR, scratch, mode=PRIVATE)])[0] is Answer.OK,
            "let the account write there",
        )
        yield from _file_tries(disk, options, scratch, live)
        if options.layout == "versioned":
            yield from _link_tries(disk, scratch, live)
        yield from disk.probe(scratch)
    finally:
        clear(disk, scratch)
        disk.run([Call(Op.UNLINK, live), Call(Op.RMDIR, live)])
        if made:
            disk.run([Call(Op.RMDIR, options.area)])


def _file_tries(disk: Disk, options: PlacedOptions, scratch: str, live: str) -> Iterator[tuple[str, bool, str]]:
    one, two = f"{scratch}/one", f"{scratch}/two"

    def try_calls(*calls: Call) -> bool:
        return all(answer is Answer.OK for answer in disk.run(calls))

    for path, content in ((one, b"one"), (two, b"two")):
        list(disk.write([small_write(path, content, options.file_mode, sync=options.syncs)]))
    yield "files can be written and read", disk.read(one) == b"one", "look at the server's log"
    replaced = try_calls(Call(Op.RENAME, one, two)) and disk.read(two) == b"one"
    yield (
        "a file is renamed over another in one step",
        replaced,
        "the server needs posix-rename; without it pages would vanish for a moment",
    )
    synced = not options.syncs or try_calls(Call(Op.SYNC, two))
    yield "files can be synced", synced, 'the server lacks fsync: set durability = "none" and accept what a loss of power does'
    crossed = try_calls(Call(Op.RENAME, two, live), Call(Op.RENAME, live, two))
    yield "the area and the root are on one file system", crossed, "put the area on the root's file system"
    folder = try_calls(Call(Op.MKDIR, one, mode=options.folder_mode), Call(Op.RENAME, one, live), Call(Op.RMDIR, live))
    yield "folders can be renamed", folder, "let the account write in the root"


def _link_tries(disk: Disk, scratch: str, live: str) -> Iterator[tuple[str, bool, str]]:
    """What only a versioned module needs: second names, and a link that is read and replaced."""
    first, again, link = f"{scratch}/two", f"{scratch}/again", f"{scratch}/link"

    def try_calls(*calls: Call) -> bool:
        try:
            return all(answer is Answer.OK for answer in disk.run(calls))
        except TargetUnfit:
            return False

    linked = try_calls(Call(Op.LINK, first, again), Call(Op.UNLINK, first)) and disk.read(again) == b"one"
    yield "a file can have a second name", linked, f"the server or its file system lacks hard links: {_ORDERED}"
    made = try_calls(Call(Op.SYMLINK, link, "../one"))
    yield "symbolic links can be made", made, f"the server or its file system lacks symbolic links: {_ORDERED}"
    yield "a symbolic link says where it leads", disk.lead(link) == "../one", f"the server changes or hides it: {_ORDERED}"
    turned = (
        try_calls(Call(Op.RENAME, link, live), Call(Op.SYMLINK, link, "two"), Call(Op.RENAME, link, live))
        and disk.lead(live) == "two"
    )
    yield "a symbolic link is renamed over another in one step", turned, f"a module could not be turned at once: {_ORDERED}"


_ORDERED = 'set layout = "ordered", or use OpenSSH\'s SFTP server on a file system that has them'


def _room(disk: Disk) -> Check:
    room = disk.space()
    if room is None:
        return Check("warning", "the server does not say how much room is left", "watch it there")
    enough = room[0] >= FEW_BYTES and room[1] >= FEW_FILES
    return Check(
        "ok" if enough else "warning", f"{room[0]} bytes and {room[1]} files are free", "" if enough else "make room", room[0]
    )


def _area(disk: Disk, options: PlacedOptions, target: str) -> Iterable[Check]:
    there = queues(disk, options.area)
    if len(there) == 1:
        yield Check("ok", f"managed by the queue {there[0]}")
    elif there:
        yield Check("failure", f"the areas of several queues are there: {', '.join(there)}", "remove all but the right one")
    else:
        yield Check("warning", "no queue manages it yet", f"the first publish makes its area, or 'slipway target adopt {target}'")


def reap(disk: Disk, options: PlacedOptions, areas: Sequence[Area], older_than: float) -> int:
    """Remove births and probes older than so many seconds, by the target's own clock; how many."""
    now = _clock(disk, options.area)
    if now is None:
        return 0
    count = _reap(disk, options.area, now - older_than, lambda name: name.startswith(PROBE_PREFIX))
    return count + sum(_reap(disk, area.new, now - older_than, lambda _: True) for area in areas)


def _clock(disk: Disk, folder: str) -> int | None:
    """What time the target thinks it is: clocks of two machines are never compared."""
    scratch = f"{folder}/{PROBE_PREFIX}clock"
    disk.run([Call(Op.RMDIR, scratch), Call(Op.MKDIR, scratch, mode=PRIVATE)])
    entry = disk.stat([scratch])[0]
    disk.run([Call(Op.RMDIR, scratch)])
    return entry.modified if entry else None


def _reap(disk: Disk, folder: str, before: float, chosen: Callable[[str], bool]) -> int:
    old = [name for name, entry in names_in(disk, folder).items() if chosen(name) and entry.modified <= before]
    for name in old:
        clear(disk, f"{folder}/{name}")
    return len(old)


def clear(disk: Disk, folder: str) -> None:
    """Remove a folder and all in it, if it is there."""
    disk.run([*removals(disk, folder, names_in(disk, folder)), Call(Op.RMDIR, folder)])
