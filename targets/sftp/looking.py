"""What lies at names and in folders: one question after the other, or many in one flight."""

import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from targets.disk import Answer, Entry, EntryType, Looks, Seen
from targets.errors import PermanentTargetError
from targets.sftp import calls, download, fields, wire
from targets.sftp.asking import ask_all
from targets.sftp.crew import Begin, drive
from targets.sftp.faults import explain, file_system
from targets.sftp.session import Session
from targets.sftp.tickets import Work

_TYPES = {stat.S_IFREG: EntryType.FILE, stat.S_IFDIR: EntryType.FOLDER, stat.S_IFLNK: EntryType.LINK}


def names(session: Session, folder: bytes) -> Work[Mapping[str, Entry]]:
    """What lies in a folder. Raises FileNotFoundError."""
    found = yield from calls.listing(session, folder)
    return {name.decode("utf-8", "surrogateescape"): entry_of(said) for name, said in found.items()}


def entries(session: Session, paths: Sequence[bytes]) -> Work[Sequence[Entry | None]]:
    """What lies at each path itself."""
    found: list[Entry | None] = []
    for path, reply in zip(paths, (yield from ask_all(session, map(wire.lstat, paths))), strict=True):
        said = wire.attributes(reply)
        if isinstance(said, fields.Attributes):
            found.append(entry_of(said))
        elif said.code == wire.NO_SUCH_FILE:
            found.append(None)
        else:
            raise (yield from explain(session, said, "look at", path))
    return found


def space(session: Session, root: bytes) -> Work[tuple[int, int] | None]:
    """Free bytes and free inodes; None where the server cannot say."""
    said = yield from file_system(session, root)
    return (said.free_bytes, said.free_inodes) if said else None


def document(session: Session, path: bytes, size: int | None, most: int) -> Work[bytes | None]:
    """A small file, None where there is none. `size`: of one that is known to be regular. Raises PermanentTargetError."""
    content = bytearray()

    def take(chunk: bytes) -> None:
        content.extend(chunk)
        if len(content) > most:
            raise too_long(f"{path.decode('utf-8', 'replace')!r} on {session.place}", most)

    return bytes(content) if (yield from download.read_all(session, path, take, size)) else None


def too_long(name: str, most: int) -> PermanentTargetError:
    """The error of a document that nobody reads into memory."""
    return PermanentTargetError(f"{name} has more than {most} bytes; no slip or note is as long")


def together(
    session: Session,
    looks: Looks,
    changes: Sequence[calls.Change],
    path: Callable[[str], bytes],
    most: int,
    *,
    otherwise: bool = False,
) -> tuple[Sequence[Answer], Seen]:
    """Changes, for a server that is known to keep order, and looks right behind them: all on their way at once.

    `path`: the server's name of a path; `most`: bytes that a document may have. `otherwise`: the changes are made only if the
    first folder to list is not there and the others are.
    """
    lists, documents = len(looks.lists), len(looks.documents)
    works: list[Callable[[Session], Work[Any]]] = [
        partial(calls.change_unless_there, folders=list(map(path, looks.lists)), wanted=changes)
        if otherwise
        else partial(calls.change, wanted=changes),
        *(partial(_names_if_any, folder=path(folder)) for folder in looks.lists),
        *(partial(document, path=path(name), size=size, most=most) for name, size in looks.documents),
        partial(entries, paths=list(map(path, looks.stats))),
        *([partial(space, root=path(""))] if looks.space else []),
    ]
    found = dict(drive([session], _numbered(works), len(works)))
    seen = [found[number] for number in range(1, len(works))]
    rest = seen[lists + documents :]
    return found[0], Seen(seen[:lists], rest[0], seen[lists : lists + documents], rest[1] if looks.space else None)


def _numbered(works: Sequence[Callable[[Session], Work[Any]]]) -> Iterator[Begin[tuple[int, Any]]]:
    for number, work in enumerate(works):
        yield Begin(partial(_which, number=number, work=work))


def _which(session: Session, *, number: int, work: Callable[[Session], Work[Any]]) -> Work[tuple[int, Any]]:
    return number, (yield from work(session))


def _names_if_any(session: Session, folder: bytes) -> Work[Mapping[str, Entry] | None]:
    try:
        return (yield from names(session, folder))
    except FileNotFoundError:
        return None


def entry_of(said: fields.Attributes) -> Entry:
    """What its attributes say of a name."""
    kind = EntryType.OTHER if said.mode is None else _TYPES.get(stat.S_IFMT(said.mode), EntryType.OTHER)
    return Entry(kind, said.size or 0, said.modified or 0)
