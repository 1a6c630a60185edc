"""What an archive's catalogue says about a module, whatever the form of the package."""

from dataclasses import dataclass

from archives.content import Content, time_of
from archives.identity import identifier_of
from archives.layout import Layout, opened
from archives.lom import About, about_course, about_slip
from config import PackageSettings
from packageslip import format_time


@dataclass(frozen=True, slots=True)
class Description:
    """One item of a catalogue."""

    title: str
    date: str
    """YYYY-MM-DD: the slip's."""
    url: str | None
    """Its public address, where the site is configured."""
    identifiers: tuple[str, ...]
    """Its own names, the one of this very package first."""
    authors: tuple[str, ...]
    others: tuple[str, ...]
    """Who else contributed."""
    publisher: str
    kind: str | None
    language: str
    rights: str


def describe(content: Content, layout: Layout | None, options: PackageSettings) -> Description:
    """From the module's own metadata, where it has some, and its slip."""
    slip = content.slip
    about = about_module(content, layout, options)
    people = [(role.casefold(), name) for role, name in about.contributors]
    publishers = [name for role, name in people if role == "publisher"]
    names = (identifier_of(content), slip.uid, slip.module_short_id)
    return Description(
        title=about.title,
        date=format_time(time_of(content))[:10],
        url=f"{options.site.rstrip('/')}{slip.url}" if options.site else None,
        identifiers=tuple(dict.fromkeys(name for name in names if name)),
        authors=tuple(dict.fromkeys(name for role, name in people if role == "author")),
        others=tuple(dict.fromkeys(name for role, name in people if role not in {"author", "publisher"})),
        publisher=publishers[0] if publishers else options.system,
        kind=slip.module_type,
        language=options.language,
        rights=options.license,
    )


def about_module(content: Content, layout: Layout | None, options: PackageSettings) -> About:
    """What the metadata of the home page says, where the package has it; else what the slip says."""
    time = time_of(content)
    home = layout.home if layout else None
    sidecar = layout.sidecars.get(home.path) if layout and home else None
    if sidecar is None:
        return about_slip(content.slip, options, time)
    with opened(sidecar, content) as stream:
        return about_course(stream.read(), content.slip, options, time)
