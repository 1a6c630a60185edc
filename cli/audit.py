"""`slipway audit`: what was done, by whom and why; and whether the log of it is still what was written."""

from datetime import UTC, datetime

import click

from answers import audit_fields, many, verdict_fields, when
from cli.exits import Exit
from cli.flags import AS_JSON, json_or_lines
from cli.session import Session, in_session
from cli.words import table
from database import Audit, AuditRow, DatabaseError, Head


class Anchor(click.ParamType[Head]):
    """The head of the chain, as `audit verify` prints it."""

    name = "seq:hash"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        if isinstance(value, Head):
            return value
        number, _, digest = str(value).partition(":")
        try:
            head = Head(int(number), bytes.fromhex(digest))
        except ValueError:
            head = Head(-1, b"")
        if head.seq < 0 or len(head.hash) != 32:
            self.fail("a head is a number, a colon and 64 hexadecimal digits, as 'slipway audit verify' prints it", param, ctx)
        return head


@click.group()
def audit() -> None:
    """See what was done, by whom and why, and check that the log of it is whole."""


@audit.command("list")
@click.option("--url", help="Only this module.")
@click.option("--task", type=int, help="Only this task.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]), help="UTC.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many, the newest.")
@json_or_lines
@in_session
def list_rows(session: Session, url: str | None, task: int | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """List what was done, the newest last."""
    moment = since.replace(tzinfo=UTC) if since else None
    rows = Audit(session.database).find(url=url, task=task, since=moment, limit=limit)
    if as_json:
        session.listing("rows", "row", [audit_fields(row) for row in rows])
        return
    titles = ["seq", "at", "what", "who", "task", "where", "url", "why"]
    table(session, titles, [words(row) for row in rows])
    if not rows:
        session.say("nothing was done, as far as the log knows")


@audit.command()
@click.option("--head", "anchor", type=Anchor(), help="A head that was noted before: the chain must go on from it.")
@AS_JSON
@in_session
def verify(session: Session, anchor: Head | None, as_json: bool) -> Exit:
    """Walk the chain; name the first row that is not what was written; print the head, to be kept elsewhere."""
    log = Audit(session.database)
    try:
        # What an embedded queue wrote by the last command is waiting for nobody.
        while log.seal():
            pass
    except DatabaseError:
        session.say("this account may not seal; what is not sealed yet is counted, not checked")
    verdict = log.verify(anchor)
    if as_json:
        session.document(verdict_fields(verdict))
    else:
        session.print(str(verdict.head) if verdict.broken is None else f"BROKEN {verdict.broken}")
    also = f", {verdict.unsealed} not sealed yet" if verdict.unsealed else ""
    session.say(f"{many(verdict.rows, 'row')} as written{also}")
    return Exit.OK if verdict.broken is None else Exit.FAILED


def words(row: AuditRow) -> tuple[object, ...]:
    entry = row.entry
    where = entry.target or entry.environment
    why = entry.document.get("why") or entry.document.get("reason")
    return row.seq, when(row.at), entry.kind, entry.who or row.account, entry.task, where, entry.url, why
