"""How a mirror's tree is made from what was published."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Section, Selection


class RewriteRule(Section):
    """One rule for links, tried in order; the first that fits counts.

    Rules see a link in one form, however it is written: what is on the site as a path that begins with /, everything else as
    a whole URL.
    """

    match: str
    """A regular expression that the link's beginning must match."""
    replace: str
    """What the matched part becomes, `\\1` being a group. What begins with / must be in the mirror, or the rule is not used."""
    on: Literal["link", "embed", "any"] = "any"
    """Which links: `link` (a, area, form), `embed` (img, script, iframe, object, ...), or both."""


class ExternalSettings(Section):
    """Material outside of the site, and where it lies in the mirror: by exactly one of match, folder and list."""

    match: str | None = None
    """A regular expression: what pages link to and begins so is fetched; what follows the match is its path below `into`."""
    folder: str | None = None
    """A local folder to take instead, absolute; `method` says how."""
    method: Literal["copy", "link"] = "copy"
    """How files of a folder get into the working tree: as copies or by symbolic links."""
    list: str | None = None
    """A tab-separated list at the views' source, as a path: URL, then the path in the mirror below `into`."""
    recursive: bool = False
    """Whether what a fetched index page links to, below itself, is fetched too."""
    depth: int = Field(default=16, ge=1)
    """How many links away from its index page a recursive fetch goes."""
    files: int = Field(default=100_000, ge=1)
    """Files that are fetched at most; what is more is listed as missing."""
    bytes: int = Field(default=4 * 1024**4, ge=1)
    """Bytes that are fetched at most, in all."""
    recheck_days: float = Field(default=7, ge=0)
    """Days for which what was fetched, or was not there, is believed before its server is asked again."""
    into: str
    """The folder of the mirror, such as /OcwExport/InternetArchive."""


class SnapshotSettings(Section):
    """How SNAPSHOT makes a mirror's tree."""

    url: str = "/"
    """The URL at which the mirror is published on the origin."""
    workspace: Path | None = None
    """Where timestamped working trees lie, on the content store's file system. Default: `snapshots` in the state directory."""
    keep: int = Field(default=2, ge=1)
    """Working trees that stay."""
    site: tuple[str, ...] = ()
    """URLs of the site itself: links that begin with one become relative; what the mirror lacks is linked to at the first."""
    modules: Selection = Selection()
    """Which published modules go into the mirror."""
    index_pages: tuple[str, ...] = ("index.htm", "index.html")
    """What links to folders lead to, so that they work without a server."""
    zips: str | None = None
    """The target that course zips are taken from."""
    zips_into: str = "/zips"
    """The folder of the mirror for course zips."""
    externals: tuple[ExternalSettings, ...] = ()
    """Material from elsewhere."""
    rules: tuple[RewriteRule, ...] = ()
    """What happens to links, in this order."""
    drop_unreferenced: tuple[str, ...] = ()
    """Endings of media that are left out when no page refers to them, such as .mp4."""
    report: str | None = None
    """The path of the report in the mirror, such as mirror-report.json. Default: it lies in the workspace alone."""
