"""Requests inside a piece of work: send when there is room, wait for the reply."""

from collections.abc import Iterable
from functools import partial

from targets.sftp import fields, framing, wire
from targets.sftp.session import Session
from targets.sftp.tickets import Ticket, Work


def ask(session: Session, request: wire.Request, awaited: int = 0) -> Work[framing.Reply]:
    """One request, when there is room for it, and its reply."""
    while not session.room:
        yield None
    ticket = session.send(request, awaited=awaited)
    yield ticket
    return ticket.reply


def ask_handle(session: Session, request: wire.Request, *undo: wire.Request) -> Work[bytes | wire.Status]:
    """Open something. If the work is given up before the handle comes, the handle is closed, and `undo` is sent, when it does."""
    while not session.room:
        yield None
    ticket = session.send(request)
    try:
        yield ticket
    except GeneratorExit:
        give_back = partial(_give_back, session, undo)
        ticket.unwanted = give_back
        if not ticket.left:
            try:
                give_back(ticket.reply)
            except fields.Garbled as error:
                session.distrust(error)
        raise
    return wire.handle(ticket.reply)


def _give_back(session: Session, undo: Iterable[wire.Request], reply: framing.Reply) -> None:
    """Close what was opened for nobody any more."""
    handle = wire.handle(reply)
    if not isinstance(handle, wire.Status):
        for afterthought in (wire.close(handle), *undo):
            session.later(afterthought)


def ask_all(session: Session, requests: Iterable[wire.Request]) -> Work[list[framing.Reply]]:
    """Many requests, each carried out after the one before it, and their replies in that order.

    The protocol promises order only within one file; a server that is not known to keep it gets them one by one.
    """
    tickets: list[Ticket] = []
    for request in requests:
        while not session.room:
            yield None
        tickets.append(session.send(request))
        if not session.in_order:
            yield tickets[-1]
    for ticket in tickets:
        if ticket.left:
            yield ticket
    return [ticket.reply for ticket in tickets]
