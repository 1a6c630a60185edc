"""What a slip that was published must say about itself: rule T1.

A slip on a target is a commit record. A plan, a recovery and a promotion believe its digests, so its version must be that
of its resources; they are sorted by path, so that the version can be computed while they pass by.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from packageslip.document import Faults
from packageslip.values import Resource
from packageslip.version import Version

_MARKS = ("serial", "version", "queue")


class CommitRules:
    """Checks a slip's files as they are read, if `published`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.published = False
        self._expected: bytes | None = None
        self._line = 0
        self._version = Version()
        self._last = ""

    def begin(self, root: dict[str, Any], line: int) -> None:
        marks = [mark for mark in _MARKS if mark in root]
        self.published = bool(marks)
        self._expected, self._line = root.get("version"), line
        if marks and len(marks) < len(_MARKS):
            missing = ", ".join(mark for mark in _MARKS if mark not in root)
            self._faults.add(line, "T1", f"serial, version and queue come together; missing: {missing}")
        if "signature" in root and not marks:
            self._faults.add(line, "T1", "only a published slip has its signature inside; put it beside the slip")

    def file(self, values: dict[str, Any], line: int) -> None:
        """A resource or a view."""
        if "digest" not in values or "size" not in values:
            self._faults.add(line, "T1", f"{values['path']!r} lacks its size or digest, which a published slip has")

    def resource(self, values: dict[str, Any], line: int) -> None:
        """A resource, in addition to what every file must say."""
        path = values["path"]
        if path < self._last:
            self._faults.add(line, "T1", f"{path!r} comes after {self._last!r}; a published slip is sorted by path")
        self._last = path
        self._version.add(path, values.get("digest", b""))

    def resources(self, resources: Sequence[Resource], line: int) -> None:
        """All resources at once, like `file` and `resource` for each."""
        paths = [resource.path for resource in resources]
        if any(later < earlier for earlier, later in pairwise(paths)):
            self._faults.add(line, "T1", "the resources are not sorted by path")
        if any(resource.digest is None or resource.size is None for resource in resources):
            self._faults.add(line, "T1", "a resource lacks its size or digest, which a published slip has")
        for resource in resources:
            self._version.add(resource.path, resource.digest or b"")

    def finish(self) -> None:
        """The version, unless another fault explains already why it is wrong."""
        if self._expected is not None and not self._faults.found and self._version.digest() != self._expected:
            self._faults.add(self._line, "T1", "the version is not that of the resources: the slip was changed since")
