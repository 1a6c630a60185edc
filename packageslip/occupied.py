"""Which paths of a module are taken, as a file system that ignores case and normal forms would see them."""

import unicodedata
from collections.abc import Iterable, Sequence


class Occupied:
    """The paths seen so far. Tells at once which earlier path a new one cannot live beside."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def take(self, path: str) -> tuple[str, str] | None:
        """Take a path. None, or (rule, the earlier path): N14 the same, N10 a twin, N13 a file where a folder must be."""
        name = folded(path)
        if (twin := self._files.get(name)) is not None:
            return ("N14" if twin == path else "N10"), twin
        if (inside := self._folders.get(name)) is not None:
            return "N13", inside
        self._files[name] = path
        return self._enter(name, path)

    def take_all(self, paths: Sequence[str]) -> bool:
        """Take the first paths of all, at once. Whether they can live side by side; if not, no more can be taken."""
        names = list(map(folded, paths))
        self._files = dict(zip(names, paths, strict=True))
        # One path of each folder leads to all folders above it.
        inner = {name.rpartition("/")[0]: path for name, path in self._files.items()}
        clashes = [self._enter(f"{folder}/", path) for folder, path in inner.items()]
        return len(self._files) == len(paths) and not any(clashes)

    def holds(self, path: str) -> bool:
        """Whether this very path was taken."""
        return self._files.get(folded(path)) == path

    def _enter(self, name: str, path: str) -> tuple[str, str] | None:
        """Note the folders that lead to the path; those above a known folder are known."""
        folder = name.rpartition("/")[0]
        while folder and folder not in self._folders:
            if (file := self._files.get(folder)) is not None:
                return "N13", file
            self._folders[folder] = path
            folder = folder.rpartition("/")[0]
        return None


def collisions(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs (earlier, later) that cannot both be files: equal, equal but for case or normal form, or `a` beside `a/b`."""
    occupied = Occupied()
    taken = ((path, occupied.take(path)) for path in paths)
    return [(clash[1], path) for path, clash in taken if clash]


def folded(path: str) -> str:
    """The path as a file system without case sees it; the same object if nothing changes, so that it costs no memory."""
    lower = path.lower() if path.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
    return path if lower == path else lower
