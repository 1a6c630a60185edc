"""A mirror while it is made: which file lies where, and what is to be said about it afterwards."""

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import SnapshotSettings
from packageslip import ITSELF, Resource, UnsafePath, check_path, is_page

LISTED = 1000
"""Broken links and missing items that a report spells out."""
_PAGE_ENDINGS = (".htm", ".html", ".xhtml")


@dataclass(slots=True)
class Report:
    """What a person wants to know of a snapshot."""

    modules: int = 0
    pages: int = 0
    rewritten: int = 0
    links: Counter[str] = field(default_factory=Counter)
    broken_before: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)
    missing_count: int = 0
    missing: list[tuple[str, str]] = field(default_factory=list)
    unreferenced: int = 0

    def lacks(self, what: str, why: str) -> None:
        """An item that is not in the mirror as it should be."""
        self.missing_count += 1
        _list(self.missing, (what, why))

    def leads_nowhere(self, page: str, link: str) -> None:
        """A link that was broken on the site already, or is now."""
        self.broken_before += 1
        _list(self.broken, (page, link))

    def document(self, files: dict[str, Resource]) -> dict[str, Any]:
        """For JSON. It says nothing of when and how, so that it is the same for the same mirror."""
        kinds: dict[str, dict[str, int]] = {}
        for file in files.values():
            kind = kinds.setdefault(file.kind, {"files": 0, "bytes": 0})
            kind["files"] += 1
            kind["bytes"] += file.size or 0
        return {
            "modules": self.modules,
            "files": len(files),
            "bytes": sum(kind["bytes"] for kind in kinds.values()),
            "kinds": dict(sorted(kinds.items())),
            "pages": {"read": self.pages, "changed": self.rewritten},
            "links": dict(sorted(self.links.items())),
            "broken_links": {
                "before": self.broken_before,
                "after": self.links["broken"],
                "listed": [{"page": page, "link": link} for page, link in self.broken],
            },
            "missing": {"count": self.missing_count, "listed": [{"item": item, "why": why} for item, why in self.missing]},
            "unreferenced": self.unreferenced,
        }


def _list(listed: list[tuple[str, str]], entry: tuple[str, str]) -> None:
    """Keep the first ones by name: what comes first depends on whose server is quicker. Names on a disk may be no text."""
    what, why = (part.encode(errors="replace").decode() for part in entry)
    insort(listed, (what, why))
    del listed[LISTED:]


@dataclass(slots=True)
class Mirror:
    """What is known so far. Paths are relative to the mirror's top; digests are of what will lie there."""

    settings: SnapshotSettings
    workspace: Path
    files: dict[str, Resource] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    """What is published and not in the mirror: links to it were not broken."""
    pages: dict[str, list[str]] = field(default_factory=dict)
    """For each module, and each external, the paths of its pages and style sheets."""
    outside: dict[str, str] = field(default_factory=dict)
    """URL to path, of everything from elsewhere."""
    visited: dict[str, str] = field(default_factory=dict)
    """Path to URL, of pages and style sheets from elsewhere."""
    linked: dict[str, Path] = field(default_factory=dict)
    """Path to local file, of what the working tree gets as a symbolic link."""
    report: Report = field(default_factory=Report)

    def take(self, file: Resource, what: str) -> bool:
        """Let a file lie at its path, if one may and nothing does yet; whether it does."""
        try:
            # A module's URL before it can make a path too long that its own slip may have.
            check_path(file.path)
        except UnsafePath as error:
            self.report.lacks(what, str(error))
            return False
        if file.path in self.files:
            self.report.lacks(what, f"another file of the mirror lies at {file.path}")
            return False
        self.files[file.path] = file
        return True


def place_of(url: str, path: str) -> str:
    """Where in the mirror a module's file lies: where it lies on the site."""
    folder = url.strip("/")
    if path == ITSELF:
        return folder
    return f"{folder}/{path}" if folder else path


def is_sheet(file: Resource) -> bool:
    """Whether a file is a style sheet."""
    return file.type.partition(";")[0].strip().lower() == "text/css" or file.path.lower().endswith(".css")


def has_links(file: Resource) -> bool:
    """Whether links in a file are looked for."""
    return is_page(file) or is_sheet(file) or file.path.lower().endswith(_PAGE_ENDINGS)
