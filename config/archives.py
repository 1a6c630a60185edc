"""Archives that retired modules are deposited in, and how modules are retired."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Secret, Section


class ArchiveSettings(Section):
    """An archive that takes deposits by SWORD."""

    kind: Literal["sword1", "sword2"]
    """The protocol's version: 1.3 or 2.0."""
    deposits: dict[str, str] = Field(min_length=1)
    """Where to deposit: the collection's URL by department code or module type; `default` for all others."""
    service: str | None = None
    """The service document's URL: with it `slipway doctor` sees whether each collection takes the packages."""
    username: str | None = None
    """The account."""
    password: Secret | None = None
    """The account's password."""
    on_behalf_of: str | None = None
    """The account for which deposits are made."""
    packaging: str | None = None
    """The packaging's URI. Default: that of the form."""
    lookup: str | None = None
    """A URL whose Atom feed has the item of a deposit whose answer was lost; $identifier, $md5. Default: sword2's collection."""
    lookup_exact: bool = False
    """The lookup answers with this one item or none: an entry counts although it does not repeat the identifier or the MD5."""
    lookup_pages: int = Field(default=1000, ge=1)
    """Pages of such a feed that are read at most."""
    handle: str = r"(?:hdl:(?://)?|https?://hdl\.handle\.net/|https?://[^\s?#]+/handle/)(\d+(?:\.\w+)*/[^\s/?#]+)"
    """How an item's handle is written in the archive's answers: a regular expression that a whole identifier or link matches."""
    duplicate: str = r"(?i)duplicate|already (?:exists|deposited|been deposited|in the archive)"
    """How the archive's answer says that it has a package already: a regular expression found in it."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    connect_timeout: float = Field(default=10, gt=0)
    """Seconds to connect."""
    read_timeout: float = Field(default=300, gt=0)
    """Seconds without a byte; archives answer only after they have taken a package in."""


class RetireSettings(Section):
    """How RETIRE deposits a module in an archive."""

    archive: str
    """Which of [archives]."""
    form: Literal["imscp", "mets", "saf", "bagit"] = "imscp"
    """The package's form."""
    media: bool = True
    """Whether video and audio go into the package."""
    metadata: str | None = None
    """The path, at the views' source, of a resource's metadata, for resources without: $url, $path."""
    tell: str = "$url/set_dspace_handle?dspace_handle=hdl://$handle"
    """The path, at the views' source, that is asked once the handle is known. $url, $handle. Empty: nobody is told."""
    settle: float = Field(default=900, ge=0)
    """Seconds after which a deposit without an answer, which the archive does not list, counts as not arrived."""
    tombstone: Path | None = None
    """A folder with templates for what takes the module's place: tombstone.htm, tombstone.txt. Default: built-in ones."""
    handles: str = "https://hdl.handle.net/$handle"
    """The public address of an item in the archive, as tombstones name it."""
