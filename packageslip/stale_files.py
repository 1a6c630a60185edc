"""The files that a slip on a target lists as stale: no part of the module, and not to be taken for one."""

from collections.abc import Callable
from typing import Any

from packageslip.document import Faults
from packageslip.values import Stale


class StaleFiles:
    """Checks them as they are read. Twins by case are two files, or the target's own business: only equal paths clash."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._found: dict[str, Stale | None] = {}
        self._lines: dict[str, int] = {}
        self._counted = 0

    def take(self, values: dict[str, Any], line: int) -> None:
        """One element. One that lacks something is a fault already."""
        self._counted += 1
        path = values.get("path")
        if path is None:
            return
        if path in self._found:
            self._faults.add(line, "N14", f"path {path!r} is listed twice as stale")
        whole = {"size", "digest", "since"} <= values.keys()
        self._found[path], self._lines[path] = Stale(**values) if whole else None, line

    def finish(self, line: int, count: int | None, taken: Callable[[str], bool], *, published: bool) -> None:
        """`line` and `count` of the section; `taken`: whether the module itself lists a path."""
        if not published:
            self._faults.add(line, "T1", "only a slip that was published has stale files")
        if count is not None and count != self._counted:
            self._faults.add(line, "X10", f"count is {count}, but {self._counted} stale files follow")
        for path in filter(taken, self._found):
            self._faults.add(self._lines[path], "N14", f"path {path!r} is listed as stale and as a file of the module")

    def files(self) -> tuple[Stale, ...]:
        """Sorted by path."""
        return tuple(file for _, file in sorted(self._found.items()) if file)
