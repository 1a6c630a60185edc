"""The rules of a METS package: what DSpace's ingester refuses, and what the profile asks for beyond that.

DSpace refuses another profile, a file group without USE, a file without an FLocat by URL or with embedded content, a file or
metadata that is named and missing, an item without a description (DMDID of the first div), and a primary bitstream that leads
nowhere (org.dspace.content.packager.METSManifest).
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from archives.lom import local, parsed
from archives.unpacking import Unpacked

if TYPE_CHECKING:
    from lxml.etree import _Element

METS = "mets.xml"
_NAMESPACE = "{http://www.loc.gov/METS/}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_PROFILE = "DSpace METS SIP Profile"
_READ = frozenset({"MODS", "DC"})
"""Kinds of descriptive metadata that DSpace can read without further configuration."""
_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


def check_mets(zipped: Unpacked) -> Iterator[Finding]:
    """Every rule of the manifest, and whether its files are what it says."""
    try:
        root = parsed(zipped.read(METS))
    except PackageError as error:
        yield failure(METS, str(error))
        return
    if root.tag != f"{_NAMESPACE}mets":
        yield failure(METS, f"is no METS document: its root is {root.tag}")
        return
    if not (root.get("PROFILE") or "").startswith(_PROFILE):
        yield failure(METS, f"claims the profile {root.get('PROFILE')!r}; DSpace takes only those that begin with {_PROFILE!r}")
    yield from _description(root)
    yield from _groups(root)
    yield from _primary(root)
    yield from _places(root, zipped)


def _description(root: "_Element") -> Iterator[Finding]:
    kinds = {each.get("MDTYPE") for section in _all(root, "dmdSec") for each in section if local(each) in {"mdWrap", "mdRef"}}
    if not kinds & _READ:
        yield failure(METS, "has no description of the item that DSpace reads (a dmdSec with MODS or DC)")


def _groups(root: "_Element") -> Iterator[Finding]:
    if not _all(root, "fileSec"):
        yield failure(METS, "has no fileSec, so no files")
    for group in _all(root, "fileGrp"):
        if not group.get("USE"):
            yield failure(METS, "has a fileGrp without USE, so its files belong to no bundle")
    seen = Counter(file.get("ID") for file in _all(root, "file"))
    yield from (failure(METS, f"has {count} files with the ID {name!r}") for name, count in seen.items() if count > 1)


def _primary(root: "_Element") -> Iterator[Finding]:
    """The first pointer of the first division of the first map."""
    division = next((div for each in _all(root, "structMap")[:1] for div in each if local(div) == "div"), None)
    if division is None:
        yield failure(METS, "has no structMap with a div in it")
        return
    described = set((division.get("DMDID") or "").split())
    if not described:
        yield failure(METS, "does not say in its first div which dmdSec describes the item (DMDID)")
    for name in sorted(described - {section.get("ID") for section in _all(root, "dmdSec")}):
        yield failure(METS, f"describes the item by a dmdSec that is not there: {name!r}")
    pointer = next((each for each in division if local(each) == "fptr"), None)
    if pointer is None:
        yield warning(METS, "names no primary bitstream, so the archive shows a list of files")
    elif pointer.get("FILEID") not in {file.get("ID") for file in _all(root, "file")}:
        yield failure(METS, f"names a primary bitstream that is no file: {pointer.get('FILEID')!r}")


def _places(root: "_Element", zipped: Unpacked) -> Iterator[Finding]:
    named = {METS}
    for file in _all(root, "file"):
        place = _place(file)
        if place is None:
            yield failure(METS, f"has a file {file.get('ID')!r} without a place: one FLocat with LOCTYPE URL and an xlink:href")
            continue
        named.add(place)
        yield from (
            _bytes(file, place, zipped)
            if place in zipped.entries
            else (failure(place, "is named by the manifest and not in the package"),)
        )
    for reference in _all(root, "mdRef"):
        place = reference.get(_HREF) or ""
        named.add(place)
        if place not in zipped.entries:
            yield failure(place or METS, "is metadata by the manifest, and not in the package")
    for name in sorted(zipped.entries.keys() - named):
        yield warning(name, "is in the package and not in the manifest, which the profile wants complete")


def _place(file: "_Element") -> str | None:
    children = [each for each in file if local(each) in {"FLocat", "FContent"}]
    if len(children) != 1 or local(children[0]) != "FLocat" or children[0].get("LOCTYPE") != "URL":
        return None
    return children[0].get(_HREF) or None


def _bytes(file: "_Element", place: str, zipped: Unpacked) -> Iterator[Finding]:
    size = file.get("SIZE")
    if size is not None and size != str(zipped.size(place)):
        yield failure(place, f"has {zipped.size(place)} bytes; the manifest says {size}")
    if not file.get("MIMETYPE"):
        yield warning(place, "has no MIMETYPE in the manifest; the archive guesses by its name")
    algorithm = _ALGORITHMS.get(file.get("CHECKSUMTYPE") or "")
    if algorithm is None:
        yield warning(place, "has no checksum in the manifest that can be compared")
        return
    try:
        found = digest(zipped, place, algorithm)
    except PackageError:
        # Told already, by the check of every entry.
        return
    if found != (file.get("CHECKSUM") or "").lower():
        yield failure(place, f"has the {file.get('CHECKSUMTYPE')} {found}; the manifest says {file.get('CHECKSUM')}")


def digest(zipped: Unpacked, name: str, algorithm: str) -> str:
    """An entry's digest in hexadecimal. Raises PackageError if the entry is damaged."""
    made = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in zipped.chunks(name):
        made.update(chunk)
    return made.hexdigest()


def _all(root: "_Element", name: str) -> list["_Element"]:
    return list(root.iterdescendants(f"{_NAMESPACE}{name}"))
