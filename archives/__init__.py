"""Packages and trees made from modules: course packages in four forms, rewritten links, deposits by SWORD."""

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
from archives.naming import package_name
from archives.package import build_package
from archives.receipt import Receipt
from archives.sword import Sword, collection_for, packaging_for

__all__ = [
    "AlreadyDeposited",
    "AnswerLost",
    "ArchiveBusy",
    "ArchiveError",
    "ArchiveUnreachable",
    "Content",
    "DepositRefused",
    "Form",
    "LookupRefused",
    "NoCollection",
    "NoLookup",
    "PackageError",
    "PermanentArchiveError",
    "Receipt",
    "Sword",
    "TransientArchiveError",
    "build_package",
    "collection_for",
    "package_name",
    "packaged",
    "packaging_for",
]
