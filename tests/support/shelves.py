"""The releases of a versioned module, as its server's administrator sees them."""

from packageslip import Packageslip, files_digest
from support.claims import TestQueue
from support.target_kinds import RELEASES, Place, Tree
from targets import Moved, Target


def releases(place: Place, module: str = "+courses+physics") -> list[str]:
    """The names of the module's releases, in the order in which they were made."""
    start = f"{RELEASES}/{module}/"
    [tree] = place.trees
    return sorted({path.split("/")[2] for path in {*tree.folders(), *tree.files()} if path.startswith(start)})


def lead(place: Place) -> str:
    [tree] = place.trees
    return tree.links()["courses/physics"]


def content(tree: Tree, release: str) -> dict[str, bytes]:
    start = f"{RELEASES}/+courses+physics/{release}/tree/"
    return {path.removeprefix(start): held for path, held in tree.files().items() if path.startswith(start)}


def go_back(target: Target, slip: Packageslip, queue: TestQueue) -> Moved:
    """Publish a slip without a single byte."""
    present = target.present(slip.url, queue.claim())
    assert files_digest(slip) in present.held
    with target.release(present, slip) as release:
        release.prepare()
        return release.switch()
