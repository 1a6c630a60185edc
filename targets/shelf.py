"""Where the releases of a versioned module stand: each a complete tree, one of which the module's link leads to.

    <releases>/<module id>/<tag>=<files digest>/release.xml  the slip that it was published with
    <releases>/<module id>/<tag>=<files digest>/tree/        what visitors see
    <root>/<url> -> ../<releases>/<module id>/<tag>=<files digest>/tree

A `+` at the end of a release's name says that its tree has a public copy of the slip in it. The link is relative, so that it
leads to the same place for an account that is locked into a folder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packageslip import Digest, Packageslip, files_digest
from targets.area import live_path, module_id
from targets.disk import Disk, Entry, EntryType, Readable
from targets.errors import PathBlocked
from targets.hold import names_in

TREE, OWN_SLIP = "tree", "release.xml"
_NAME = re.compile(r"\d{1,19}\.[0-9a-f]{8}=([0-9a-f]{64})(\+?)")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The names of one module's releases. `folder`: where those of all modules lie, relative to the root."""

    folder: str
    url: str

    @property
    def root(self) -> str:
        return f"{self.folder}/{module_id(self.url)}"

    def release(self, name: str) -> str:
        return f"{self.root}/{name}"

    def slip(self, name: str) -> str:
        """The slip of a release: also the file whose sync makes the whole release durable."""
        return f"{self.root}/{name}/{OWN_SLIP}"

    def tree(self, name: str) -> str:
        return f"{self.root}/{name}/{TREE}"

    def lead(self, name: str) -> str:
        """What the module's link says."""
        up = "../" * live_path(self.url, "").count("/")
        return up + self.tree(name)

    def name_in(self, lead: str | None) -> str | None:
        """The release that a link leads to; None if it is not a link of ours."""
        name = (lead or "").removesuffix(f"/{TREE}").rpartition("/")[2]
        return name if is_name(name) and lead == self.lead(name) else None

    def linked(self, disk: Disk, entry: Entry | None) -> str | None:
        """The release that is live. `entry`: what lies at the module's own name."""
        if entry is None or entry.type is not EntryType.LINK:
            return None
        return self.name_in(disk.lead(live_path(self.url, "")))

    def names(self, disk: Readable) -> list[str]:
        """The releases that stand there, the newest first, by the target's own clock: fences of two databases do not compare."""
        there = names_in(disk, self.root).items()
        found = {name: entry for name, entry in there if is_name(name) and entry.type is EntryType.FOLDER}
        return sorted(found, key=lambda name: (found[name].modified, name), reverse=True)


def is_name(name: str) -> bool:
    """Whether a release can be called so."""
    return _NAME.fullmatch(name) is not None


def name_of(tag: str, slip: Packageslip, *, public: bool) -> str:
    """What the release of this slip is called."""
    return f"{tag}{_ending(files_digest(slip), public=public)}"


def _ending(digest: Digest | None, *, public: bool) -> str:
    return f"={(digest or b'').hex()}{'+' if public else ''}"


def same_tree(names: list[str], slip: Packageslip, *, public: bool) -> str | None:
    """The newest of these releases that has exactly the tree of this slip."""
    ending = _ending(files_digest(slip), public=public)
    return next((name for name in names if name.endswith(ending)), None)


def digests_of(names: list[str], *, public: bool) -> frozenset[Digest]:
    """What these releases hold, of those with or without a public slip."""
    matches = (match for name in names if (match := _NAME.fullmatch(name)))
    return frozenset(bytes.fromhex(match[1]) for match in matches if bool(match[2]) is public)


def refuse_links_above(target: str, disk: Disk, releases: str, folders: Mapping[str, Entry | None]) -> None:
    """Raise PathBlocked if one of these folders is a versioned module's link: nothing is published below such a module."""
    for folder, entry in folders.items():
        if Shelf(releases, f"/{folder}").linked(disk, entry):
            raise PathBlocked(
                f"{target}: /{folder} is published there in the versioned layout, in which no module lives below another. Leave "
                f"it out of versioned_modules of this target in the configuration and publish /{folder} again, then this module",
                target=target,
            )
