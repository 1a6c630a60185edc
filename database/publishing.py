"""The record of what is live: a publication for each module, and the slips themselves, compressed, in parts."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, tuple_, update

from database import schema
from database.rows import chunks, clipped, insert_ignore
from database.values import Document, Published

PART = 4 * 1024 * 1024
"""Bytes of one part: MySQL and MariaDB take statements of at least 16 MiB."""

LEVEL = 1
"""Half of a slip are digests, which no effort makes smaller: zlib's usual 6 takes twice as long for a tenth less."""

_publication, _document = schema.publication.c, schema.document.c
_LIVE = select(_publication.id).where(
    tuple_(_publication.target, _publication.url).in_(bindparam("modules", expanding=True)), _publication.until.is_(None)
)
_PARTS = select(_document.body).where(_document.digest == bindparam("digest")).order_by(_document.part)


def pack(pieces: Iterable[bytes]) -> Document:
    """A document, given piece by piece. Before any transaction, because a big one takes seconds and nobody may wait for it."""
    hasher, compressor = hashlib.sha256(), zlib.compressobj(LEVEL)
    body = bytearray()
    for piece in pieces:
        hasher.update(piece)
        body += compressor.compress(piece)
    body += compressor.flush()
    return Document(hasher.digest(), bytes(body))


def record(
    connection: Connection,
    published: Sequence[tuple[int | None, Published]],
    now: datetime,
    absent: Collection[tuple[str, str]] = (),
) -> None:
    """Close what was live and open what is, in the given order for each module; (task, what it did).

    `absent`: modules, as (target, url), that the caller has just seen not to be live: there is nothing to close.
    """
    store(connection, {one.document for _, one in published if one.document is not None})
    for number, some in enumerate(_rounds(published)):
        for few in chunks(some):
            modules = {(one.target, one.url) for _, one in few}
            _close(connection, sorted(modules if number else modules.difference(absent)), now)
            rows = [_row(task, one, now) for task, one in few if one.document is not None]
            if rows:
                connection.execute(insert(schema.publication), rows)


def store(connection: Connection, documents: Iterable[Document]) -> None:
    """Keep documents, each once. The driver sends as many parts in a statement as come to a megabyte, and a larger one alone."""
    parts = [
        {"digest": digest, "part": part, "body": body[start : start + PART]}
        for digest, body in sorted(documents)
        for part, start in enumerate(range(0, len(body), PART))
    ]
    insert_ignore(connection, schema.document, parts)


def read_document(connection: Connection, digest: bytes) -> bytes | None:
    """A document; None if it is not kept."""
    parts = connection.scalars(_PARTS, {"digest": digest}).all()
    return zlib.decompress(b"".join(parts)) if parts else None


def document_of(connection: Connection, publication: int) -> bytes | None:
    """The document of one publication; None if it is not kept."""
    digest = connection.scalar(select(_publication.document).where(_publication.id == publication))
    return None if digest is None else read_document(connection, digest)


def weight_of(connection: Connection, publication: int) -> int:
    """Bytes of the compressed document of one publication; 0 if it is not kept."""
    mine = select(_publication.document).where(_publication.id == publication).scalar_subquery()
    return int(connection.scalar(select(func.sum(func.length(_document.body))).where(_document.digest == mine)) or 0)


def _rounds(published: Sequence[tuple[int | None, Published]]) -> Iterable[list[tuple[int | None, Published]]]:
    """The first of each module, then the second of each, ...: one statement can close a whole round."""
    seen: Counter[tuple[str, str]] = Counter()
    rounds: list[list[tuple[int | None, Published]]] = []
    for task, one in published:
        number = seen[one.target, one.url]
        seen[one.target, one.url] += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append((task, one))
    return rounds


def _close(connection: Connection, modules: Sequence[tuple[str, str]], now: datetime) -> None:
    ids = connection.scalars(_LIVE, {"modules": modules}).all() if modules else ()
    if ids:
        connection.execute(update(schema.publication).where(_publication.id.in_(sorted(ids))).values(until=now))


def _row(task: int | None, one: Published, now: datetime) -> dict[str, Any]:
    return {
        "target": one.target,
        "url": one.url,
        "version": one.version,
        "serial": one.serial,
        "task": task,
        "document": one.document.digest if one.document else None,
        "since": now,
        "module_type": clipped(one.module_type, 255),
        "title": clipped(one.title),
        "module_state": clipped(one.module_state, 255),
    }
