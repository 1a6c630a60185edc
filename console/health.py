"""For load balancers and service managers: whether the process lives, and whether it can answer."""

import structlog
from starlette.responses import PlainTextResponse, Response

from console.asked import Asked
from console.within import PATIENCE, within
from database import DatabaseError, SchemaMismatch

log = structlog.get_logger(__name__)

AGAIN = 5
"""Seconds after which it makes sense to ask again."""


def alive(asked: Asked) -> Response:
    """It answers, whatever the database does."""
    del asked
    return PlainTextResponse("alive\n")


def ready(asked: Asked) -> Response:
    """The database answers, and its schema is the one that this version needs; else 503 and the reason.

    Who is not signed in is told the reason in general: an error of the database's can name its host and account.
    """
    try:
        within(PATIENCE, asked.database.check_schema)
    except DatabaseError as error:
        log.warning("console not ready", reason=str(error))
        general = "the queue's schema is not the one that this version needs" if isinstance(error, SchemaMismatch) else DOWN
        said = str(error) if asked.person is not None or isinstance(error, SchemaMismatch) else general
        text = asked.console.secrets.masked(f"not ready: {said}\n")
        return PlainTextResponse(text, 503, {"Retry-After": str(AGAIN)})
    return PlainTextResponse("ready\n")


DOWN = "the queue's database does not answer"
