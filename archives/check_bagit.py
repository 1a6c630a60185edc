"""The rules of a bag (RFC 8493): complete, valid, and nothing in it that is not vouched for. By hand, without the library."""

import re
from collections.abc import Iterator

from archives.check_mets import digest
from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from archives.unpacking import Unpacked

MARK = "bagit.txt"
_DECLARATION = re.compile(r"BagIt-Version: (\d+\.\d+)\nTag-File-Character-Encoding: UTF-8\n?")
_VERSIONS = frozenset({"0.97", "1.0"})
_MANIFEST = re.compile(r"(tag)?manifest-(md5|sha1|sha224|sha256|sha384|sha512)\.txt")
_LINE = re.compile(r"([0-9a-fA-F]+)[ \t]+\*?(.+)")


def check_bagit(zipped: Unpacked) -> Iterator[Finding]:
    """Every rule. A bag with files to be fetched is not complete."""
    folder = _folder(zipped)
    for name in zipped.entries:
        if not name.startswith(folder):
            yield failure(name, f"lies outside the bag, {folder}")
    names = {name.removeprefix(folder) for name in zipped.entries if name.startswith(folder)}
    try:
        yield from _declaration(_text(zipped, f"{folder}{MARK}"), f"{folder}{MARK}")
        if "fetch.txt" in names:
            yield failure(f"{folder}fetch.txt", "names files that have to be fetched; a package must be complete")
        yield from _manifests(zipped, folder, names)
        if "bag-info.txt" in names:
            yield from _oxum(zipped, folder, names)
    except PackageError as error:
        yield failure(folder.rstrip("/"), str(error))


def _folder(zipped: Unpacked) -> str:
    marks = sorted((name for name in zipped.entries if name.endswith(f"/{MARK}")), key=lambda name: name.count("/"))
    return marks[0].removesuffix(MARK)


def _declaration(text: str, place: str) -> Iterator[Finding]:
    found = _DECLARATION.fullmatch(text.replace("\r\n", "\n"))
    if found is None:
        yield failure(place, "is no declaration of a bag in UTF-8")
    elif found[1] not in _VERSIONS:
        yield warning(place, f"declares version {found[1]} of BagIt")


def _manifests(zipped: Unpacked, folder: str, names: set[str]) -> Iterator[Finding]:
    payload = {name for name in names if name.startswith("data/")}
    manifests = sorted(name for name in names if _MANIFEST.fullmatch(name))
    if not any(name.startswith("manifest-") for name in manifests):
        yield failure(folder.rstrip("/"), "has no manifest of its payload")
    for name in manifests:
        listed = dict(_lines(_text(zipped, f"{folder}{name}"), f"{folder}{name}"))
        if name.startswith("manifest-"):
            yield from (failure(f"{folder}{each}", f"is not in {name}") for each in sorted(payload - listed.keys()))
        yield from _compared(zipped, folder, name, listed)


def _compared(zipped: Unpacked, folder: str, manifest: str, listed: dict[str, str]) -> Iterator[Finding]:
    found = _MANIFEST.fullmatch(manifest)
    assert found is not None, "it was found by this pattern"
    for path, expected in sorted(listed.items()):
        place = f"{folder}{path}"
        if place not in zipped.entries:
            yield failure(place, f"is in {manifest} and not in the package")
        elif digest(zipped, place, found[2]) != expected.lower():
            yield failure(place, f"has another checksum than {manifest} says")


def _lines(text: str, place: str) -> Iterator[tuple[str, str]]:
    """Path and checksum of each line; only line ends are ever written in another way in a path."""
    for line in filter(None, re.split(r"\r\n|\r|\n", text)):
        found = _LINE.fullmatch(line)
        if found is None:
            raise PackageError(f"has a line in {place} that is none of a manifest: {line[:80]!r}")
        yield re.sub(r"%0[aA]", "\n", re.sub(r"%0[dD]", "\r", found[2])), found[1]


def _oxum(zipped: Unpacked, folder: str, names: set[str]) -> Iterator[Finding]:
    """The payload's size and number of files, as bag-info.txt says them."""
    stated = re.search(r"(?m)^Payload-Oxum: *(\d+\.\d+) *$", _text(zipped, f"{folder}bag-info.txt"))
    payload = [f"{folder}{name}" for name in names if name.startswith("data/")]
    found = f"{sum(zipped.size(name) for name in payload)}.{len(payload)}"
    if stated and stated[1] != found:
        yield failure(f"{folder}bag-info.txt", f"states a payload of {stated[1]} (bytes.files); it has {found}")


def _text(zipped: Unpacked, place: str) -> str:
    try:
        return zipped.read(place).decode()
    except UnicodeDecodeError as error:
        raise PackageError(f"has a {place} that is not in UTF-8") from error
