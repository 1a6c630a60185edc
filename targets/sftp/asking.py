"""Requests inside a piece of work: send when there is room, wait for the reply."""

from collections.abc import Iterable

from targets.sftp import fields, wire
from targets.sftp.session import Session, Ticket, Work


def ask(session: Session, request: wire.Request, awaited: int = 0) -> Work[wire.Reply]:
    """One request, when there is room for it, and its reply."""
    while not session.room:
        yield None
    ticket = session.send(request, awaited)
    return (yield from answer(ticket))


def ask_handle(session: Session, request: wire.Request, *undo: wire.Request) -> Work[bytes | wire.Status]:
    """Open something. If the work is given up before the handle comes, the handle is closed, and `undo` is sent, when it does."""
    while not session.room:
        yield None
    ticket = session.send(request)

    def give_back(reply: wire.Reply) -> None:
        handle = wire.handle(reply)
        if not isinstance(handle, wire.Status):
            for afterthought in (wire.close(handle), *undo):
                session.later(afterthought)

    try:
        reply = yield from answer(ticket)
    except GeneratorExit:
        ticket.unwanted = give_back
        if ticket.reply is not None:
            try:
                give_back(ticket.reply)
            except fields.Garbled as error:
                session.distrust(error)
        raise
    return wire.handle(reply)


def ask_all(session: Session, requests: Iterable[wire.Request]) -> Work[list[wire.Reply]]:
    """Many requests, each carried out after the one before it, and their replies in that order.

    The protocol promises order only within one file; a server that is not known to keep it gets them one by one.
    """
    tickets: list[Ticket] = []
    for request in requests:
        while not session.room:
            yield None
        tickets.append(session.send(request))
        if not session.in_order:
            yield from answer(tickets[-1])
    replies = []
    for ticket in tickets:
        replies.append((yield from answer(ticket)))
    return replies


def answer(ticket: Ticket) -> Work[wire.Reply]:
    """Wait for it inside a work."""
    while ticket.reply is None:
        yield ticket
    return ticket.reply
