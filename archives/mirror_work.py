"""Working trees: a mirror as files on the engine server, each in a folder named by its time, complete or not there at all."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_UNFINISHED = ".unfinished-"
_NOT_LINKED = frozenset({errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP})
"""Another file system, too many links to one file (65,000 on ext4), or a file system without links: a copy then."""


@dataclass(frozen=True, slots=True)
class Laid:
    """One file of a tree: its path, and the file that has its bytes; `link`: a symbolic link to it."""

    path: str
    file: Path
    link: bool = False


class WorkingTrees:
    """The working trees of one mirror."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def finished(self) -> list[Path]:
        """The trees that are complete, oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(each for each in self._folder.iterdir() if each.is_dir() and not each.name.startswith("."))

    def reap(self) -> int:
        """Remove what was not finished when its engine died; how many trees."""
        left = list(self._folder.glob(f"{_UNFINISHED}*")) if self._folder.is_dir() else []
        for tree in left:
            shutil.rmtree(tree)
        return len(left)

    def build(self, now: float, files: Iterable[Laid]) -> Path:
        """A tree of these files with the time `now` (epoch) as its name: hard links where possible, else copies."""
        name = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        unfinished = self._folder / (_UNFINISHED + name)
        unfinished.mkdir(parents=True)
        made: set[str] = set()
        for file in files:
            folder = file.path.rpartition("/")[0]
            if folder not in made:
                (unfinished / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            lay(file, unfinished / file.path)
        place = self._folder / name
        if place.exists():
            shutil.rmtree(place)
        unfinished.rename(place)
        return place

    def thin(self, keep: int) -> int:
        """Remove all but the newest `keep` trees; how many."""
        old = self.finished()[:-keep]
        for tree in old:
            # Half a tree must not look like one.
            dying = tree.rename(self._folder / (_UNFINISHED + tree.name))
            shutil.rmtree(dying)
        return len(old)


def lay(file: Laid, place: Path) -> None:
    """Put one file there."""
    if file.link:
        place.symlink_to(file.file)
        return
    try:
        os.link(file.file, place)
    except OSError as error:
        if error.errno not in _NOT_LINKED:
            raise
        shutil.copyfile(file.file, place)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only process that works in this folder. Raises BlockingIOError: another one does."""
    import fcntl  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BlockingIOError(f"another process works in {folder}; it is one that outlived its engine") from error
        yield
