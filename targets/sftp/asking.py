"""Requests inside a piece of work: send when there is room, wait for the reply."""

from collections.abc import Iterable, Sequence
from itertools import islice, zip_longest

from targets.sftp import fields, framing, wire
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work

_TOGETHER = 64
"""Small requests that are awaited as one."""


def ask(session: Session, request: wire.Request, awaited: int = 0) -> Work[framing.Reply]:
    """One request, when there is room for it, and its reply."""
    while not session.room:
        yield None
    ticket = session.send(request, awaited=awaited)
    yield ticket
    return ticket.reply


def ask_handle(session: Session, request: wire.Request, made: bytes | None = None) -> Work[bytes | wire.Status]:
    """Open something. `made`: the file that is made by that."""
    [handle] = yield from ask_handles(session, [request], [made] if made else [])
    return handle


def ask_handles(
    session: Session, requests: Sequence[wire.Request], made: Sequence[bytes] = ()
) -> Work[Sequence[bytes | wire.Status]]:
    """Open several. `made`: the files that are made by that.

    If the work is given up before the handles come, they are closed and those files are removed when they do.
    """
    while not session.room:
        yield None
    ticket = session.send(*requests)
    try:
        yield ticket
    except GeneratorExit:
        ticket.unwanted = lambda ticket: give_back(session, map(wire.handle, ticket.replies), made)
        if not ticket.left:
            try:
                ticket.unwanted(ticket)
            except fields.Garbled as error:
                session.distrust(error)
        raise
    return list(map(wire.handle, ticket.replies))


def give_back(session: Session, handles: Iterable[bytes | wire.Status], made: Iterable[bytes]) -> None:
    """Close what was opened, and remove the files that were made by that; nothing where it was refused. Nobody waits for it."""
    for handle, path in zip_longest(handles, made):
        if not isinstance(handle, wire.Status):
            if handle is not None:
                session.later(wire.close(handle))
            if path is not None:
                session.later(wire.remove(path))


def ask_all(session: Session, requests: Iterable[wire.Request]) -> Work[list[framing.Reply]]:
    """Many small requests, each carried out after the one before it, and their replies in that order.

    The protocol promises order only within one file; a server that is not known to keep it gets them one by one.
    """
    left = iter(requests)
    tickets: list[Ticket] = []
    while True:
        while not session.room:
            yield None
        some = list(islice(left, min(session.room, _TOGETHER) if session.in_order else 1))
        if not some:
            break
        tickets.append(session.send(*some))
        if not session.in_order:
            yield tickets[-1]
    for ticket in tickets:
        if ticket.left:
            yield ticket
    return [reply for ticket in tickets for reply in ticket.replies]
