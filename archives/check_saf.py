"""The rules of a package in DSpace's Simple Archive Format: what its importer refuses or would not see."""

import re
from collections import Counter
from collections.abc import Iterator

from archives.errors import PackageError
from archives.findings import Finding, failure, warning
from archives.lom import parsed
from archives.unpacking import Unpacked

MARK = "dublin_core.xml"
_LISTS = frozenset({MARK, "contents", "handle", "collections", "relationships"})
_OTHER_METADATA = re.compile(r"metadata_\w+\.xml")
_OPTIONS = ("bundle:", "permissions:", "description:", "primary:true", "iiif-")


def check_saf(zipped: Unpacked) -> Iterator[Finding]:
    """Every rule of every item."""
    above = _folder_of_all(zipped)
    items: dict[str, set[str]] = {}
    for name in zipped.entries:
        if not name.startswith(above):
            yield failure(name, f"lies outside {above}, which an importer takes for the folder of all items")
            continue
        item, _, path = name.removeprefix(above).partition("/")
        if not path:
            yield failure(name, "lies beside the items, where an importer expects folders alone")
            continue
        items.setdefault(f"{above}{item}", set()).add(path)
    for item, paths in sorted(items.items()):
        yield from _item(zipped, item, paths)


def _folder_of_all(zipped: Unpacked) -> str:
    """As DSpace's importer finds it: the first part of the first entry that has more than two."""
    return next((f"{name.split('/')[0]}/" for name in zipped.entries if name.count("/") > 1), "")


def _item(zipped: Unpacked, item: str, paths: set[str]) -> Iterator[Finding]:
    if MARK not in paths:
        yield failure(item, f"has no {MARK}, so the item has no description")
    else:
        yield from _description(zipped, f"{item}/{MARK}")
    files = {path for path in paths if path not in _LISTS and not _OTHER_METADATA.fullmatch(path)}
    if "contents" not in paths:
        if files:
            yield failure(item, "has files and no list of them (contents)")
        return
    try:
        lines = zipped.read(f"{item}/contents").decode().splitlines()
    except (PackageError, UnicodeDecodeError) as error:
        yield failure(f"{item}/contents", f"cannot be read: {error}")
        return
    yield from _contents(f"{item}/contents", lines, files)


def _description(zipped: Unpacked, place: str) -> Iterator[Finding]:
    try:
        root = parsed(zipped.read(place))
    except PackageError as error:
        yield failure(place, str(error))
        return
    if root.tag != "dublin_core":
        yield failure(place, f"is no description of an item: its root is {root.tag}")
        return
    fields = [
        (each.get("element"), each.get("qualifier")) for each in root if each.tag == "dcvalue" and (each.text or "").strip()
    ]
    if any(element is None for element, _ in fields):
        yield failure(place, "has a dcvalue without an element")
    if not any(element == "title" for element, _ in fields):
        yield failure(place, "has no title")
    if ("date", "issued") not in fields:
        yield warning(place, "has no date of issue; the archive takes the day of the import")


def _contents(place: str, lines: list[str], files: set[str]) -> Iterator[Finding]:
    listed: Counter[str] = Counter()
    primary = 0
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("-"):
            yield warning(place, f"line {number} registers a file that is at the archive already")
        elif line.strip():
            name, *options = line.split("\t")
            listed[name] += 1
            primary += "primary:true" in options
            unknown = [option for option in options if not option.startswith(_OPTIONS)]
            yield from (warning(place, f"line {number} has an option that no importer knows: {each!r}") for each in unknown)
    yield from _compared(place, listed, files)
    if primary > 1:
        yield failure(place, f"names {primary} primary bitstreams")
    elif not primary and listed:
        yield warning(place, "names no primary bitstream, so the archive shows a list of files")


def _compared(place: str, listed: Counter[str], files: set[str]) -> Iterator[Finding]:
    """The list and the files are the same."""
    for name, count in sorted(listed.items()):
        if name not in files:
            yield failure(place, f"lists {name!r}, which is not in the package")
        if count > 1:
            yield failure(place, f"lists {name!r} more than once")
    for name in sorted(files - listed.keys()):
        yield failure(place, f"does not list {name!r}, so the archive would leave it out")
