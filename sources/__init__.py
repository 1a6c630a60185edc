"""Sources: where slips and bytes come from. `http`, `directory`, and any target read as a source."""

from sources.contract import Fetched, Incoming, Sink, Source, Want
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
from sources.http import HttpSource
from sources.kinds import KINDS, Secrets, open_source
from sources.target import TargetSource

__all__ = [
    "KINDS",
    "AccessRefused",
    "DirectorySource",
    "Fetched",
    "HttpSource",
    "Incoming",
    "NoSuchModule",
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
    "WrongBytes",
    "open_source",
]
