"""Whether a target has exactly the files of a source: what every timed run is checked for."""

import filecmp
import os
import random
from collections.abc import Mapping
from pathlib import Path

from benchmarks.tree import SLIP

COMPARED = 20_000
"""Files that are compared byte by byte, at most; of larger trees a sample, and the sizes of all."""


class Unequal(AssertionError):
    """A target is not what its source is."""


def check_equal(source: Path, target: Path, who: str) -> None:
    """Raise Unequal with some of the differences, as visitors see it: through the links of the versioned layout.

    Slips are left out, for ours say more, and so is our own area.
    """
    wanted, found = _sizes(source), _sizes(target)
    wrong = [path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path)]
    if not wrong:
        chosen = random.Random(4).sample(sorted(wanted), min(len(wanted), COMPARED))
        wrong = [path for path in chosen if not filecmp.cmp(source / path, target / path, shallow=False)]
    if wrong:
        raise Unequal(f"{who}: {len(wrong)} files differ, such as {sorted(wrong)[:3]}")


def _sizes(folder: Path) -> Mapping[str, int]:
    sizes = {}
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name not in {".slipway", ".slipway-releases"}]
        for name in files:
            if name not in {SLIP, "packageslips.xml"}:
                path = os.path.join(root, name)  # noqa: PTH118 - a million of them
                sizes[path[len(str(folder)) + 1 :]] = os.lstat(path).st_size
    return sizes
