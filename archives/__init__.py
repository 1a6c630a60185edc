"""Packages and trees made from modules: course packages in four forms, rewritten links, deposits by SWORD."""

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
