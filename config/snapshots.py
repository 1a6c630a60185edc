"""How a mirror's tree is made from what was published."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Section, Selection


class RewriteRule(Section):
    """One rule for links, tried in order; the first that fits counts."""

    match: str
    """A regular expression that the whole link, or with a `^` its beginning, must match."""
    replace: str
    """What the matched part becomes; a link that begins with / is then made relative to its page."""
    on: Literal["link", "embed", "any"] = "any"
    """Which links: `link` (a, area, form), `embed` (img, script, iframe, object, ...), or both."""


class ExternalSettings(Section):
    """Material outside of the site that pages point to, and where it lies in the mirror."""

    match: str | None = None
    """A regular expression: links of pages that match are fetched."""
    folder: str | None = None
    """A local folder to take instead, absolute; `method` says how."""
    method: Literal["copy", "link"] = "copy"
    """How files of a folder get into the working tree: as copies or by symbolic links."""
    list: str | None = None
    """A tab-separated list at the views' source: URL, then the path in the mirror."""
    recursive: bool = False
    """Whether what a fetched index page links to, below itself, is fetched too."""
    into: str
    """The folder of the mirror, such as /OcwExport/InternetArchive."""


class SnapshotSettings(Section):
    """How SNAPSHOT makes a mirror's tree."""

    workspace: Path | None = None
    """Where timestamped working trees lie, on the content store's file system. Default: `snapshots` in the state directory."""
    keep: int = Field(default=2, ge=1)
    """Working trees that stay."""
    site: tuple[str, ...] = ()
    """URLs of the site itself: links that begin with one become relative."""
    modules: Selection = Selection()
    """Which published modules go into the mirror."""
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
