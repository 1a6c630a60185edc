"""What has to be out of the way before a folder can become a versioned module's link: looked at while nothing has happened.

Only what our slips list goes, or what the wanted slip lists and a person or equal bytes allowed to be taken over. Whatever else
lies in the folder would be gone from the site with it, so it stops the release.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from packageslip import Packageslip, is_page
from targets.area import PUBLIC_SLIP, module_id
from targets.catalogue import read_any
from targets.disk import EntryType
from targets.errors import PathBlocked
from targets.ground import Ground
from targets.hold import names_in
from targets.note import Drop, Part
from targets.protocol import same_name
from targets.records import is_ours


@dataclass(frozen=True, slots=True)
class Clearing:
    """The files and the folders (relative to the module) that go."""

    drops: tuple[Drop, ...] = ()
    folders: tuple[str, ...] = ()


def clearing(ground: Ground, previous: Packageslip | None, wanted: Packageslip, *, public: bool) -> Clearing:
    """What goes. `public`: the release has a public slip, which replaces whatever lies in its place. Raises PathBlocked."""
    refuse_modules_below(ground)
    ours = {same_name(file.path, ground.fold) for slip in (previous, wanted) if slip for file in slip.files()}
    ours |= {same_name(stale.path, ground.fold) for stale in (previous.stale if previous else ())}
    if public or is_ours(ground.disk, ground.names.live(PUBLIC_SLIP), ground.names.url):
        ours.add(PUBLIC_SLIP)
    pages = {file.path for slip in (previous, wanted) if slip for file in slip.resources if is_page(file)}
    found = list(_contents(ground))
    for path, kind in found:
        if kind is not EntryType.FOLDER and (kind is not EntryType.FILE or same_name(path, ground.fold) not in ours):
            raise _blocked(ground, path, kind)
    drops = (Drop(path, Part.PAGE if path in pages else Part.ASSET) for path, kind in found if kind is EntryType.FILE)
    return Clearing(tuple(drops), tuple(path for path, kind in found if kind is EntryType.FOLDER))


def refuse_modules_below(ground: Ground) -> None:
    """Raise PathBlocked if a module is published below this one."""
    url, area = ground.names.url, ground.area
    # The ids of long URLs are cut, so that only their slips tell.
    start = f"{module_id(url)}+"[:120]
    for name in sorted(names_in(ground.disk, area.modules)):
        if name.startswith(start) and name != module_id(url):
            slip = read_any(ground.disk, f"{area.modules}/{name}/slip.xml", ground.target)
            if slip and slip.url.startswith(f"{url}/"):
                raise PathBlocked(
                    f"{ground.target}: {url} is to be versioned, and {slip.url} is published below it, where a versioned module "
                    f"has nothing but its own files. Leave {url} out of versioned_modules of this target in the configuration",
                    target=ground.target,
                )


def _contents(ground: Ground) -> Iterator[tuple[str, EntryType]]:
    """Everything in the module's folder, outer folders first."""
    folders = [""]
    while folders:
        folder = folders.pop()
        for name, entry in sorted(names_in(ground.disk, ground.names.live(folder)).items()):
            path = f"{folder}/{name}" if folder else name
            yield path, entry.type
            folders += [path] if entry.type is EntryType.FOLDER else []


def _blocked(ground: Ground, path: str, kind: EntryType) -> PathBlocked:
    return PathBlocked(
        f"{ground.target}: {ground.names.live(path)}, {foreign(kind)}, lies in the folder that is to become a link to the "
        f"releases of {ground.names.url}. Move it away, or leave the module out of versioned_modules of this target in the "
        "configuration",
        target=ground.target,
    )


def foreign(kind: EntryType) -> str:
    """What lies there that is not ours, in words."""
    return "which no slip of ours lists" if kind is EntryType.FILE else f"a {kind}"
