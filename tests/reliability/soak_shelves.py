"""What must hold of the releases of versioned modules once a target is at rest."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path

from reliability.happenings import Violation
from reliability.rows import slips_in
from targets.shelf import OWN_SLIP, TREE, Shelf, is_name

RELEASES = ".slipway-releases"


def shelves(target: str, root: Path, modules: Collection[str], keep: int) -> Iterator[Violation]:
    """Each of these modules is a link to a release that stands; each release is what its own slip says; and nothing else is there.

    `keep`: how many releases of a module may stand.
    """
    known: set[Path] = set()
    for url in sorted(modules):
        shelf = Shelf(RELEASES, url)
        link, folder = root / url.strip("/"), root / shelf.root
        names = sorted(path.name for path in folder.glob("*")) if folder.exists() else []
        lead = str(link.readlink()) if link.is_symlink() else None
        if lead is None or shelf.name_in(lead) not in names:
            yield Violation("release", f"{url} on {target} leads to {lead}, and there are {names}")
        if len(names) > keep:
            yield Violation("release", f"{len(names)} releases of {url} stand on {target}, where {keep} are kept")
        for name in filter(is_name, names):
            known |= {root / shelf.slip(name), *_files(root / shelf.tree(name))}
            yield from _unlike_its_slip(target, root / shelf.release(name))
    for path in sorted(set(_files(root / RELEASES)) - known):
        yield Violation("release", f"{path.relative_to(root)} on {target} was left over")


def _unlike_its_slip(target: str, release: Path) -> Iterator[Violation]:
    if not (release / OWN_SLIP).is_file():
        yield Violation("release", f"{release.parent.name}/{release.name} on {target} has no slip")
        return
    (slip,) = slips_in([(release / OWN_SLIP).read_bytes()])
    tree = release / TREE
    there = {str(path.relative_to(tree)): hashlib.sha256(path.read_bytes()).digest() for path in _files(tree)}
    there.pop("packageslip.xml", None)
    listed = {file.path: file.digest for file in slip.files()}
    for path in sorted(path for path in there.keys() | listed.keys() if there.get(path) != listed.get(path)):
        yield Violation("release", f"{path} in {release.parent.name}/{release.name} on {target} is not what its slip says")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_dir())
