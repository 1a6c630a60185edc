"""Which publication a ROLLBACK goes back to. It is settled once, when the row is accepted.

An attempt that was cut off after its commit has changed what is live: another one that asked again for "the publication
before" would go back one further.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from database import schema
from database.judge import Earlier
from packageslip import Digest

LOOKED_BACK = 10_000
"""Publications of one module that are looked at, the newest first."""

_publication = schema.publication.c


@dataclass(frozen=True, slots=True)
class Known:
    """One publication of the module."""

    id: int
    version: Digest
    live: bool


@dataclass(frozen=True, slots=True)
class NoSuchPublication:
    """Why there is none, and what to do."""

    reason: str


def find_earlier(connection: Connection, target: str, url: str, wish: Earlier) -> Digest | NoSuchPublication:
    """The version to go back to."""
    wanted = select(_publication.id, _publication.version, _publication.until).where(
        _publication.target == target, _publication.url == url, _publication.version.is_not(None)
    )
    rows = connection.execute(wanted.order_by(_publication.id.desc()).limit(LOOKED_BACK))
    return choose_earlier([Known(row.id, row.version, row.until is None) for row in rows], wish, f"{url} on {target}")


def choose_earlier(known: Sequence[Known], wish: Earlier, module: str) -> Digest | NoSuchPublication:
    """Of a module's publications, newest first. Pure."""
    look = "'slipway rollback URL --in ENV --list' shows what there is."
    if wish.to is not None:
        found = [each.version for each in known if each.id == wish.to]
        return found[0] if found else NoSuchPublication(f"{wish.to} is no publication of {module}; {look}")
    if wish.version:
        versions = {each.version for each in known if each.version.hex().startswith(wish.version)}
        if len(versions) == 1:
            return versions.pop()
        many = f"fits {len(versions)} versions of {module}; give more of its digits" if versions else f"is no version of {module}"
        return NoSuchPublication(f"{wish.version} {many}; {look}")
    live = next((each for each in known if each.live), None)
    before = [each.version for each in known if live is None or (each.id < live.id and each.version != live.version)]
    return before[0] if before else NoSuchPublication(f"The record knows no earlier publication of {module}; {look}")
