"""Sources: where slips and bytes come from. `http`, `directory`, and any target read as a source; and the web at large."""

from sources.contract import Calls, Fetched, Incoming, Sink, Source, Want
from sources.directory import DirectorySource
from sources.errors import (
    AccessRefused,
    NoSuchModule,
    PermanentSourceError,
    ResourceMissing,
    SourceChanged,
    SourceError,
    SourceSlow,
    SourceUnreachable,
    TransientSourceError,
    WrongBytes,
)
from sources.kinds import KINDS, Secrets, open_source
from sources.parallel import in_parallel
from sources.proof import fingerprint, proven
from sources.target import TargetSource
from sources.web import WEB, Page, Web

__all__ = [
    "KINDS",
    "WEB",
    "AccessRefused",
    "Calls",
    "DirectorySource",
    "Fetched",
    "Incoming",
    "NoSuchModule",
    "Page",
    "PermanentSourceError",
    "ResourceMissing",
    "Secrets",
    "Sink",
    "Source",
    "SourceChanged",
    "SourceError",
    "SourceSlow",
    "SourceUnreachable",
    "TargetSource",
    "TransientSourceError",
    "Want",
    "Web",
    "WrongBytes",
    "fingerprint",
    "in_parallel",
    "open_source",
    "proven",
]
