"""What the retired-courses area holds of a module: its package, what the archive said, and the tombstone.

It says by itself what was deposited where: with the database lost, it is read back from here.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from archives import Tombstone, package_name
from config import PackageSettings, RetireSettings
from database import Deposit, Parcel
from packageslip import Kind, Packageslip, Resource
from store import Store

RETIRED = "retired"
"""The state of modules that were retired, in a CMS's slips as in ours."""
RECEIPT, DEPOSIT, PAGE = "receipt.xml", "deposit.json", "tombstone/index.htm"


def zip_of_tombstone(name: str) -> str:
    """Where the small zip lies in the retired module, by the package's name."""
    return f"tombstone/{name}.zip"


def package_slip(course: Packageslip, parcel: Parcel) -> Packageslip:
    """The retired module while nothing but its package is known."""
    package = Resource(parcel.file, type="application/zip", size=parcel.size, digest=parcel.digest, modified=course.modified)
    return Packageslip(
        course.url,
        (package,),
        uid=course.uid,
        revision=parcel.version.hex(),
        module_type=course.module_type,
        module_short_id=course.module_short_id,
        department_code=course.department_code,
        title=course.title,
        state=RETIRED,
        modified=course.modified,
    )


def whole_slip(
    course: Packageslip, deposit: Deposit, retire: RetireSettings, options: PackageSettings, store: Store
) -> Packageslip:
    """The retired module with everything: receipt, deposit and tombstone, whose bytes are put into the store."""
    assert deposit.handle is not None, "a tombstone names the handle"
    assert deposit.confirmed_at is not None, "what has a handle is confirmed"
    date = int(deposit.confirmed_at.timestamp())
    tombstone = Tombstone(course, options, deposit.handle, date, handles=retire.handles, texts=retire.tombstone)
    files = {
        PAGE: (tombstone.page(), Kind.PAGE, "text/html"),
        zip_of_tombstone(package_name(course, options)): (tombstone.zip(), Kind.FILE, "application/zip"),
        DEPOSIT: (_document(deposit), Kind.METADATA, "application/json"),
    }
    if deposit.receipt:
        files[RECEIPT] = (deposit.receipt, Kind.METADATA, "application/xml")
    kept = [_kept(store, path, content, kind, type_, date) for path, (content, kind, type_) in files.items()]
    empty = package_slip(course, deposit)
    return replace(empty, resources=(*empty.resources, *kept))


def _kept(store: Store, path: str, content: bytes, kind: Kind, type_: str, date: int) -> Resource:
    with store.incoming() as incoming:
        incoming.write(content)
        digest, size = incoming.commit()
    return Resource(path, kind, type_, size=size, digest=digest, modified=date)


def _document(deposit: Deposit) -> bytes:
    """The deposit for people and programs, and for us when the database is lost."""
    assert deposit.confirmed_at is not None, "it is written of what is confirmed"
    words = {
        "url": deposit.url,
        "version": deposit.version.hex(),
        "archive": deposit.archive,
        "collection": deposit.collection,
        "identifier": deposit.identifier,
        "location": deposit.location,
        "handle": deposit.handle,
        "confirmed": deposit.confirmed_at.isoformat(),
        "package": {"file": deposit.file, "bytes": deposit.size, "md5": deposit.md5, "sha256": deposit.digest.hex()},
    }
    return json.dumps(words, indent=2).encode() + b"\n"


def read_deposit(document: bytes) -> tuple[Parcel, str | None, str, datetime]:
    """What `deposit.json` says: the parcel, its location, its handle, since when. Raises ValueError for anything else."""
    try:
        words: Any = json.loads(document)
        package = words["package"]
        parcel = Parcel(
            words["url"],
            bytes.fromhex(words["version"]),
            words["archive"],
            words["collection"],
            words["identifier"],
            package["file"],
            bytes.fromhex(package["sha256"]),
            package["md5"],
            int(package["bytes"]),
        )
        return parcel, words["location"], str(words["handle"]), datetime.fromisoformat(words["confirmed"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is no record of a deposit: {error!r} is missing or wrong") from error
