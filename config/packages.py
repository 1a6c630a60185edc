"""Course packages: what goes into them, and how they are called."""

from pathlib import Path
from typing import Literal

from config.section import Section

Kinds = tuple[Literal["page", "file", "image", "media", "caption", "transcript", "metadata"], ...]


class ClosingItem(Section):
    """A page of the site that ends the table of contents of every package, such as the terms of use."""

    page: str
    """The page's path on the site, in one of the shared modules: /terms/index.htm."""
    title: str
    """What the table of contents calls it."""


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
    profile: str | None = "CWSpace"
    """The profile that an archive package claims in its manifest; DSpace's ingester for courses asks for CWSpace."""
    profile_version: str = "0.1"
    """The version of that profile."""
    shared: tuple[str, ...] = ()
    """URLs of modules with shared assets (images, styles, scripts); their files go under common/."""
    shared_files: Literal["all", "used"] = "all"
    """Which of them. `used`: what pages and styles link to, and what that links to; what only scripts ask for is not seen."""
    closing: tuple[ClosingItem, ...] = ()
    """Pages of shared modules that end the table of contents of every package."""
    include: Kinds = ("page", "file", "image", "caption", "transcript", "metadata")
    """Kinds of resources that go into a package. Media is never in by accident: an area says `media = true`."""
    license: str = "see the terms of use of the site"
    """The licence, as texts and metadata state it."""
    contact: str = "ask the publisher of the site"
    """Whom readers may ask, as the texts state it."""
    language: str = "en"
    """The language of titles in metadata (BCP 47)."""
    texts: Path | None = None
    """A folder with templates that replace the built-in texts, by name: ReadMe.txt, START.htm."""
