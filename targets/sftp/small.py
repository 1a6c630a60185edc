"""Storing small files, several in step: all are created, then all are filled and closed, and every reply is looked at.

What a request costs here is mostly what goes on around it; so what several files need is sent, awaited and looked at as one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from targets.disk import Write
from targets.sftp import wire
from targets.sftp.asking import ask_handles, give_back
from targets.sftp.faults import explain
from targets.sftp.session import Session
from targets.sftp.tickets import Work
from targets.sftp.upload import compare, ending, refusal, whole

SMALL = 32 * 1024
"""Bytes of a file that is read whole before anything is sent, if the server takes as many in one request."""
IN_STEP = 32
_BYTES = 256 * 1024
"""Of files in step, about: they are in memory, and are sent at once."""

File = tuple[Write, bytes]
"""What to write, and the server's name of it."""


def is_small(write: Write, session: Session) -> bool:
    """Whether one request can bring all of it."""
    return write.size <= min(SMALL, session.write_size)


def in_step(files: Iterable[File], alone: Callable[[Write], bool], most: int) -> Iterator[Sequence[File]]:
    """Files in their order, so many together at the most, about 256 KiB of them; those that have to go `alone` do."""
    some: list[File] = []
    size = 0
    for file in files:
        write = file[0]
        if alone(write):
            if some:
                yield some
            yield [file]
            some, size = [], 0
            continue
        some.append(file)
        size += write.size
        if len(some) >= most or size >= _BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def upload_in_step(session: Session, files: Sequence[File]) -> Work[Sequence[Write]]:
    """The whole life of some small files. If one is not good to the end, all are removed again, as far as the server lets us.

    Raises CorruptTransfer, PathBlocked, FileNotFoundError, NoSpace and what else a server may say.
    """
    paths = [path for _, path in files]
    contents = [whole(write) for write, _ in files]
    handles = yield from _create(session, files, paths)
    closed = False
    try:
        while not session.room:
            yield None
        steps = [_steps(write, handle, content) for (write, _), handle, content in zip(files, handles, contents, strict=True)]
        ticket = session.send(*[request for one in steps for _, request in one])
        # Handles are numbers that the server uses again: a second CLOSE could hit somebody else's file.
        closed = True
        yield ticket
        if refused := refusal(ticket.replies):
            place, status = refused
            (write, path), doing = [(file, doing) for file, one in zip(files, steps, strict=True) for doing, _ in one][place]
            raise (yield from explain(session, status, doing, path, write.size))
    except BaseException:
        # They are invisible still, so nobody waits for the replies.
        give_back(session, [] if closed else handles, paths)
        raise
    for write, path in files:
        if write.read_back:
            yield from compare(session, write, path)
    return [write for write, _ in files]


def _create(session: Session, files: Sequence[File], paths: Sequence[bytes]) -> Work[Sequence[bytes]]:
    """The handles of all of them. If one is refused, the others are removed again."""
    answers = yield from ask_handles(session, [wire.create(path, write.mode) for write, path in files], paths)
    handles = []
    for (write, path), answer in zip(files, answers, strict=True):
        if isinstance(answer, wire.Status):
            try:
                raise (yield from explain(session, answer, "create", path, write.size, new=True))
            finally:
                # Not before: a full disk would not be full any more.
                give_back(session, answers, paths)
        handles.append(answer)
    return handles


def _steps(write: Write, handle: bytes, content: bytes) -> Sequence[tuple[str, wire.Request]]:
    """What makes a file of an empty one; each in words, and as a request."""
    steps = ending(write, handle)
    return [("write", wire.write(handle, 0, content)), *steps] if content else steps
