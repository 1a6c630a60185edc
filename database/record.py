"""What is and was live, where, and the slips of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, func, select

from database import schema
from database.auditing import Entry, note
from database.connection import Database
from database.publishing import document_of, read_document, record, weight_of
from database.rows import attempt_of, chunks, publication_of
from database.takedowns import in_force, takedown_of
from database.values import OPEN_STATES, Attempt, Publication, Published, Seal, Takedown
from packageslip import Digest, Limits, Packageslip, read_slip

_publication, _queue = schema.publication.c, schema.queue.c
READ_AT_ONCE = 500
_MINE = _publication.target == bindparam("target"), _publication.url == bindparam("url")
_CURRENT = select(schema.publication).where(*_MINE, _publication.until.is_(None)).order_by(_publication.id.desc()).limit(1)
"""Made once, like the others that a task asks: to put one together takes three times as long as to carry it out."""
_BELOW = (
    select(_publication.url)
    .where(_publication.target == bindparam("target"), _publication.url > bindparam("first"), _publication.url < bindparam("end"))
    .where(_publication.until.is_(None))
    .order_by(_publication.url)
    .distinct()
)
_DOCUMENT = select(_publication.document).where(*_MINE).order_by(_publication.id.desc()).limit(1)
_LIVE_DOCUMENT = _DOCUMENT.where(_publication.until.is_(None))
_VERSIONS_DOCUMENT = _DOCUMENT.where(_publication.version == bindparam("version"))
_seal, _other = schema.seal.c, schema.publication.alias().c
_SEAL = (
    select(schema.seal)
    .join(schema.publication, (_publication.target == _seal.target) & (_publication.url == _seal.url))
    .where(*_MINE, _publication.until.is_(None))
    .where(_publication.version == _seal.version, _publication.serial == _seal.serial)
    .where(
        ~exists()
        .where(_other.target == bindparam("target"), _other.url > bindparam("first"), _other.url < bindparam("end"))
        .where(_other.until.is_(None))
    )
)
OWN = Limits(bytes=2**40, resources=2**31)
"""What was published once must be readable again: a mirror has the files of a whole site."""


class Record:
    """The publications. A database that was lost starts without any: the targets know what they hold."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def current(self, target: str, url: str) -> Publication | None:
        """What is live; None: nothing, as far as this database knows."""
        row = self._db.look(lambda connection: _current(connection, target, url))
        return None if row is None else publication_of(row)

    def seal(self, target: str, url: str) -> Seal | None:
        """The seal on what is live; None: there is none, or modules are live below, whose files are not this one's."""
        asked = {"target": target, "url": url, **_range_below(url)}
        row = self._db.look(lambda connection: connection.execute(_SEAL, asked).one_or_none())
        return None if row is None else Seal(*row)

    def live(self, url: str) -> list[Publication]:
        """What is live of a module, on every target, by the target's name."""
        wanted = (
            select(schema.publication).where(_publication.url == url, _publication.until.is_(None)).order_by(_publication.target)
        )
        return [publication_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def history(self, url: str, limit: int = 20, target: str | None = None) -> list[Publication]:
        """Publications of a module on one target, or on every one, newest first."""
        wanted = select(schema.publication).where(_publication.url == url).order_by(_publication.id.desc()).limit(limit)
        if target is not None:
            wanted = wanted.where(_publication.target == target)
        return [publication_of(row) for row in self._db.look(lambda connection: connection.execute(wanted).all())]

    def publication(self, id: int) -> Publication | None:
        """One publication by its number."""
        wanted = select(schema.publication).where(_publication.id == id)
        row = self._db.look(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else publication_of(row)

    def newest(self, target: str) -> Publication | None:
        """What last became live on a target."""
        wanted = select(schema.publication).where(_publication.target == target).order_by(_publication.id.desc()).limit(1)
        row = self._db.look(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else publication_of(row)

    def attempt(self, publication: Publication) -> Attempt | None:
        """The last attempt of the task that made this publication; None once it is purged, and for what was adopted."""
        mine = select(schema.attempt).where(schema.attempt.c.task == publication.task).order_by(schema.attempt.c.fence.desc())
        row = self._db.look(lambda connection: connection.execute(mine.limit(1)).one_or_none()) if publication.task else None
        return None if row is None else attempt_of(row)

    def slip_of(self, publication: int) -> Packageslip | None:
        """The slip of one publication, as it lay on the target; None if it is not kept."""
        document = self._db.look(lambda connection: document_of(connection, publication))
        return None if document is None else read_slip(document, f"the record of publication {publication}", OWN)

    def weight(self, publication: int) -> int:
        """Bytes that its slip takes here, compressed: what reading it costs."""
        return self._db.look(lambda connection: weight_of(connection, publication))

    def beginning(self, beginning: str, limit: int) -> list[str]:
        """The first URLs of modules that are live somewhere and begin so, in their order."""
        within = _publication.url >= beginning, _publication.url < beginning + chr(0x10FFFF), _publication.until.is_(None)
        wanted = select(_publication.url).where(*within).distinct().order_by(_publication.url).limit(limit)
        return list(self._db.look(lambda connection: connection.scalars(wanted).all()))

    def slip(self, target: str, url: str, version: Digest | None = None) -> Packageslip | None:
        """The slip that is live, or the newest one of that version, as it lay on the target; None if none is known."""
        document = self._db.look(lambda connection: _document(connection, target, url, version))
        return None if document is None else read_slip(document, f"the record of {url} on {target}", OWN)

    def takedowns(self) -> list[Takedown]:
        """Every takedown in force, oldest first."""
        return self._db.look(in_force)

    def taken_down(self, *, lifted: bool = False, after: int = 0, limit: int = 500) -> list[tuple[Takedown, str, str]]:
        """Takedowns by id, above `after`, each with the state and the reason of its newest row: empty once that is purged."""
        newest = schema.takedown.outerjoin(schema.queue, _queue.id == schema.takedown.c.task)
        wanted = select(schema.takedown, _queue.status, _queue.reason).select_from(newest).where(schema.takedown.c.id > after)
        if not lifted:
            wanted = wanted.where(schema.takedown.c.lifted_at.is_(None))
        rows = self._db.look(lambda connection: connection.execute(wanted.order_by(schema.takedown.c.id).limit(limit)).all())
        return [(takedown_of(row), row.status or "", row.reason or "") for row in rows]

    def below(self, target: str, url: str) -> list[str]:
        """URLs of other modules that are live on this target strictly below `url`, sorted."""
        asked = {"target": target, **_range_below(url)}
        return [row.url for row in self._db.look(lambda connection: connection.execute(_BELOW, asked).all())]

    def published(self, target: str) -> Iterator[Publication]:
        """All that is live on a target, by URL. Read in steps: what changes meanwhile may be in it or not."""
        return self._in_steps(partial(_published, target=target))

    def gone(self, target: str) -> Iterator[Publication]:
        """The last publication of each module that was live on a target and is no more, by URL. Read in steps."""
        return self._in_steps(partial(_gone, target=target))

    def keep(self, publications: int) -> Iterator[Digest]:
        """Digests of files that the newest publications of each module on each target list, and versions of unfinished tasks.

        A digest can come several times. What is bound by an unfinished task is kept whatever its age.
        """
        versions = self._db.look(_bound)
        for document in self._documents(publications, versions):
            for file in read_slip(document, "a slip in the record", OWN).files():
                if file.digest is not None:
                    yield file.digest

    def adopt(self, target: str, documents: Iterable[Published]) -> int:
        """Record what a target says it holds, where this database knows otherwise; how many modules."""
        found = [one for one in documents if one.target == target]
        return sum(self._adopt_some(some) for some in chunks(found, 100))

    def forget(self, target: str, urls: Iterable[str]) -> None:
        """These modules are not on the target, although this database has them as live there."""
        for some in chunks([(None, Published(target, url, 0)) for url in urls]):
            self._db.change(partial(_close, gone=some))

    def _in_steps(self, step: Callable[..., Sequence[Row[Any]]]) -> Iterator[Publication]:
        last = ""
        while rows := self._db.look(partial(step, last=last)):
            last = rows[-1].url
            yield from map(publication_of, rows)

    def _adopt_some(self, documents: Sequence[Published]) -> int:
        return self._db.change(lambda connection: _adopt(connection, documents))

    def _documents(self, publications: int, versions: frozenset[bytes]) -> Iterator[bytes]:
        seen: set[bytes] = set()
        for digest in self._ranked(publications, versions):
            if digest not in seen:
                seen.add(digest)
                document = self._db.look(partial(read_document, digest=digest))
                if document is not None:
                    yield document

    def _ranked(self, publications: int, versions: frozenset[bytes]) -> Iterator[bytes]:
        last = 0
        while rows := self._db.look(partial(_ranked, publications=publications, versions=versions, last=last)):
            last = rows[-1][0]
            yield from (document for _, document in rows)


def _range_below(url: str) -> dict[str, str]:
    """Between which URLs all that is strictly below this one comes: a range along the index, with nothing to escape."""
    start = url.rstrip("/") + "/"
    # "0" follows "/" in every collation used here.
    return {"first": start, "end": start[:-1] + "0"}


def _current(connection: Connection, target: str, url: str) -> Row[Any] | None:
    return connection.execute(_CURRENT, {"target": target, "url": url}).one_or_none()


def _published(connection: Connection, target: str, last: str) -> Sequence[Row[Any]]:
    """The next modules that are live; each has one row at most."""
    wanted = select(schema.publication).where(
        _publication.target == target, _publication.url > last, _publication.until.is_(None)
    )
    return connection.execute(wanted.order_by(_publication.url).limit(READ_AT_ONCE)).all()


def _gone(connection: Connection, target: str, last: str) -> Sequence[Row[Any]]:
    """The next modules of which every publication has ended: the last one of each."""
    ended = (
        select(func.max(_publication.id).label("id"))
        .where(_publication.target == target, _publication.url > last)
        .group_by(_publication.url)
        .having(func.count() == func.count(_publication.until))
        .order_by(_publication.url)
        .limit(READ_AT_ONCE)
        .subquery()
    )
    wanted = select(schema.publication).join(ended, ended.c.id == _publication.id).order_by(_publication.url)
    return connection.execute(wanted).all()


def _document(connection: Connection, target: str, url: str, version: Digest | None) -> bytes | None:
    mine = {"target": target, "url": url}
    wanted, given = (_LIVE_DOCUMENT, mine) if version is None else (_VERSIONS_DOCUMENT, mine | {"version": version})
    digest = connection.scalar(wanted, given)
    return None if digest is None else read_document(connection, digest)


def _bound(connection: Connection) -> frozenset[bytes]:
    states = [str(state) for state in OPEN_STATES]
    return frozenset(
        connection.scalars(select(_queue.version).where(_queue.status.in_(states), _queue.version.is_not(None)).distinct())
    )


def _ranked(connection: Connection, publications: int, versions: frozenset[bytes], last: int) -> list[tuple[int, bytes]]:
    """The next publications that count, by id, with their documents."""
    rank = func.row_number().over(partition_by=(_publication.target, _publication.url), order_by=_publication.id.desc())
    ranked = select(_publication.id, _publication.document, _publication.version, rank.label("rank")).subquery()
    counts = (ranked.c.rank <= publications) | ranked.c.version.in_(versions)
    wanted = select(ranked.c.id, ranked.c.document).where(counts, ranked.c.id > last).order_by(ranked.c.id).limit(READ_AT_ONCE)
    return [(row.id, row.document) for row in connection.execute(wanted)]


def _close(connection: Connection, gone: Sequence[tuple[None, Published]]) -> None:
    record(connection, gone, connection.execute(select(schema.NOW)).scalar_one())


def _adopt(connection: Connection, documents: Sequence[Published]) -> int:
    now = connection.execute(select(schema.NOW)).scalar_one()
    new: list[tuple[int | None, Published]] = []
    for one in documents:
        row = _current(connection, one.target, one.url)
        if row is None or (row.version, row.serial) != (one.version, one.serial):
            new.append((None, one))
    record(connection, new, now)
    note(connection, (_adopted(one) for _, one in new), now)
    return len(new)


def _adopted(one: Published) -> Entry:
    return Entry(kind="adopted", target=one.target, url=one.url, document={"version": one.version, "serial": one.serial})
