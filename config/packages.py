"""Course packages: what goes into them, and how they are called."""

from pathlib import Path
from typing import Literal

from config.section import Section

Kinds = tuple[Literal["page", "file", "image", "media", "caption", "transcript", "metadata"], ...]


class PackageSettings(Section):
    """Packages that are made of modules: the download zip, IMS Content Packaging, METS, Simple Archive Format, BagIt."""

    name: str = "$short_id"
    """What a package is called, without its ending. $short_id (else the last part of the URL), $uid."""
    site: str | None = None
    """The public site's URL: links that lead out of a package become absolute with it."""
    namespace: str = "org.example"
    """What identifiers of packages begin with, such as edu.mit.ocw."""
    system: str = "Slipway"
    """The name of the source system in manifests."""
    shared: tuple[str, ...] = ()
    """URLs of modules with shared assets (images, styles, scripts); what is used of them goes under common/."""
    include: Kinds = ("page", "file", "image", "caption", "transcript", "metadata")
    """Kinds of resources that go into a package. Media is never in by accident: an area says `media = true`."""
    texts: Path | None = None
    """A folder with templates that replace the built-in texts, by name: ReadMe.txt, START.htm."""
