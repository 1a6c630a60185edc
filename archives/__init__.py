"""Packages and trees made from modules: course packages in four forms, rewritten links, deposits by SWORD."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archives.check import check_package
    from archives.content import Content, Form, packaged
    from archives.errors import (
        AlreadyDeposited,
        AnswerLost,
        ArchiveBusy,
        ArchiveError,
        ArchiveUnreachable,
        DepositRefused,
        LookupRefused,
        NoCollection,
        NoLookup,
        PackageError,
        PermanentArchiveError,
        TransientArchiveError,
    )
    from archives.findings import Finding
    from archives.mirror_links import Fate, Link, Linker, Standing
    from archives.mirror_marks import Mark, Scan
    from archives.mirror_memo import Known, Made, Memo
    from archives.mirror_pages import LARGEST as LARGEST_PAGE
    from archives.mirror_pages import rewrite_page, scan_page
    from archives.mirror_rewrite import addresses, decide
    from archives.mirror_tree import find_place, path_of
    from archives.mirror_work import Laid, WorkingTrees, alone
    from archives.naming import package_name
    from archives.opening import open_archive
    from archives.package import build_package
    from archives.receipt import Receipt
    from archives.sword import Sword, collection_for, packaging_for
    from archives.tombstone import Tombstone

__all__ = [
    "LARGEST_PAGE",
    "AlreadyDeposited",
    "AnswerLost",
    "ArchiveBusy",
    "ArchiveError",
    "ArchiveUnreachable",
    "Content",
    "DepositRefused",
    "Fate",
    "Finding",
    "Form",
    "Known",
    "Laid",
    "Link",
    "Linker",
    "LookupRefused",
    "Made",
    "Mark",
    "Memo",
    "NoCollection",
    "NoLookup",
    "PackageError",
    "PermanentArchiveError",
    "Receipt",
    "Scan",
    "Standing",
    "Sword",
    "Tombstone",
    "TransientArchiveError",
    "WorkingTrees",
    "addresses",
    "alone",
    "build_package",
    "check_package",
    "collection_for",
    "decide",
    "find_place",
    "open_archive",
    "package_name",
    "packaged",
    "packaging_for",
    "path_of",
    "rewrite_page",
    "scan_page",
]

_MODULES = {
    "check_package": "archives.check",
    "Content": "archives.content",
    "Form": "archives.content",
    "packaged": "archives.content",
    "AlreadyDeposited": "archives.errors",
    "AnswerLost": "archives.errors",
    "ArchiveBusy": "archives.errors",
    "ArchiveError": "archives.errors",
    "ArchiveUnreachable": "archives.errors",
    "DepositRefused": "archives.errors",
    "LookupRefused": "archives.errors",
    "NoCollection": "archives.errors",
    "NoLookup": "archives.errors",
    "PackageError": "archives.errors",
    "PermanentArchiveError": "archives.errors",
    "TransientArchiveError": "archives.errors",
    "Finding": "archives.findings",
    "Fate": "archives.mirror_links",
    "Link": "archives.mirror_links",
    "Linker": "archives.mirror_links",
    "Standing": "archives.mirror_links",
    "Mark": "archives.mirror_marks",
    "Scan": "archives.mirror_marks",
    "Known": "archives.mirror_memo",
    "Made": "archives.mirror_memo",
    "Memo": "archives.mirror_memo",
    "LARGEST_PAGE": "archives.mirror_pages:LARGEST",
    "rewrite_page": "archives.mirror_pages",
    "scan_page": "archives.mirror_pages",
    "addresses": "archives.mirror_rewrite",
    "decide": "archives.mirror_rewrite",
    "find_place": "archives.mirror_tree",
    "path_of": "archives.mirror_tree",
    "Laid": "archives.mirror_work",
    "WorkingTrees": "archives.mirror_work",
    "alone": "archives.mirror_work",
    "package_name": "archives.naming",
    "open_archive": "archives.opening",
    "build_package": "archives.package",
    "Receipt": "archives.receipt",
    "Sword": "archives.sword",
    "collection_for": "archives.sword",
    "packaging_for": "archives.sword",
    "Tombstone": "archives.tombstone",
}


def __getattr__(name: str) -> object:
    """Engines that publish know the errors of archives and nothing else of them: the rest is imported where it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"archives has no {name}")
    module, _, original = _MODULES[name].partition(":")
    return getattr(importlib.import_module(module), original or name)
