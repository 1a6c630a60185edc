"""The table of contents of a package: the home page with its own files, then the sections, each folder a level."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from archives.errors import PackageError
from archives.layout import Entry, Layout, folder_of
from archives.naming import last_part
from config import PackageSettings
from packageslip import Packageslip

_TOP = "contents"
_DEEPEST = 64
"""Folders in folders. A table of contents with so many levels is a fault of the CMS, and readers of XML stop at 256."""
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the table of contents. A folder without an index page has no path."""

    title: str
    path: str | None
    """The file in the package that it opens."""
    key: str
    """What identifies it among the items: the path of its file or folder, relative to the module."""
    section: str | None = None
    """What kind of section it begins: CourseHomePage, CourseSection, GlobalSection."""
    children: tuple["Item", ...] = ()


def organize(slip: Packageslip, layout: Layout, options: PackageSettings) -> tuple[Item, ...]:
    """The tree. Siblings stand in the slip's order; those without an order come after, by path, numbers by their value.

    Raises PackageError.
    """
    deepest = max(layout.contents, key=lambda entry: entry.path.count("/"), default=None)
    if deepest is not None and deepest.path.count("/") > _DEEPEST:
        raise PackageError(f"{deepest.url} lies more than {_DEEPEST} folders deep, too deep for a table of contents; move it up")
    home = layout.home
    folders: dict[str, list[Entry]] = defaultdict(list)
    for entry in layout.contents:
        if entry is not home:
            folders[folder_of(entry.path)].append(entry)
    subfolders = _subfolders(folders)
    own = [_leaf(entry) for entry in sorted(folders[_TOP], key=_order)]
    sections = [_section(folder, folders, subfolders) for folder in _sorted_folders(subfolders[_TOP], folders, subfolders)]
    first = []
    if home is not None:
        title = home.resource.title or slip.title or last_part(slip)
        first = [Item(title, home.path, "CourseHome", "CourseHomePage", tuple(own))]
    return (*first, *(replace(each, section="CourseSection") for each in sections), *_closing(layout, options))


def _section(folder: str, folders: Mapping[str, list[Entry]], subfolders: Mapping[str, set[str]]) -> Item:
    """A folder: its index page, and below that its other files and its folders."""
    entries = folders.get(folder, [])
    index = next((entry for entry in sorted(entries, key=_order) if entry.is_page and _is_index(entry)), None)
    ranked = [(_order(entry), _leaf(entry)) for entry in entries if entry is not index]
    ranked += [(_rank(below, folders, subfolders), _section(below, folders, subfolders)) for below in subfolders[folder]]
    children = tuple(item for _, item in sorted(ranked, key=lambda each: each[0]))
    key = _key(folder)
    if index is None:
        return Item(PurePosixPath(folder).name, None, key, children=children)
    return Item(index.resource.title or PurePosixPath(folder).name, index.path, key, children=children)


def _leaf(entry: Entry) -> Item:
    return Item(entry.resource.title or PurePosixPath(entry.path).name, entry.path, _key(entry.path))


def _closing(layout: Layout, options: PackageSettings) -> list[Item]:
    items = []
    for each in options.closing:
        path = layout.places.inside(each.page)
        if path is None or not path.startswith("common/"):
            raise PackageError(
                f"packages.closing names {each.page}, which is in none of the shared modules; add its module to packages.shared"
            )
        items.append(Item(each.title, path, folder_of(path).removeprefix("common/"), "GlobalSection"))
    return items


def _subfolders(folders: Iterable[str]) -> dict[str, set[str]]:
    """The folders directly below each folder, those without files of their own included."""
    below: dict[str, set[str]] = defaultdict(set)
    for folder in list(folders):
        while folder not in (_TOP, "."):
            above = folder_of(folder)
            below[above].add(folder)
            folder = above  # noqa: PLW2901 - walks up
    return below


_Rank = tuple[bool, int, list[str | int]]


def _sorted_folders(names: set[str], folders: Mapping[str, list[Entry]], subfolders: Mapping[str, set[str]]) -> list[str]:
    return sorted(names, key=lambda name: _rank(name, folders, subfolders))


def _rank(folder: str, folders: Mapping[str, list[Entry]], subfolders: Mapping[str, set[str]]) -> _Rank:
    """A folder stands where its index page does, else where the first of what is in it does."""
    entries = folders.get(folder, [])
    ranks = [_order(entry) for entry in entries if _is_index(entry)] or [_order(entry) for entry in entries]
    ranks = ranks or [_rank(below, folders, subfolders) for below in subfolders[folder]]
    last, order, _ = min(ranks)
    return last, order, _natural(folder)


def _order(entry: Entry) -> _Rank:
    order = entry.resource.order
    return order is None, order or 0, _natural(entry.path)


def _natural(path: str) -> list[str | int]:
    """Text and numbers in turn, so that l10 comes after l9."""
    return [int(part) if number % 2 else part for number, part in enumerate(_DIGITS.split(path))]


def _is_index(entry: Entry) -> bool:
    return PurePosixPath(entry.path).stem.lower() == "index"


def _key(path: str) -> str:
    return path.removeprefix("contents/")
