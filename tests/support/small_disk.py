"""A file system of a few megabytes, which can be full: a real one, in memory, mounted for a test."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.sshd import IS_ROOT, missing

PAGE = 4096
"""Bytes in which such a file system counts."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """What is mounted at `root`."""

    root: Path

    @property
    def _ballast(self) -> Path:
        return self.root / "ballast"

    def fill(self, pages: int = 0) -> None:
        """Leave room for so many pages."""
        room = os.statvfs(self.root)
        with self._ballast.open("ab") as ballast:
            ballast.write(bytes(max(0, room.f_bavail - pages) * room.f_bsize))

    def free(self) -> None:
        """Take away what fills it."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(root: Path, *, size: str = "8m", inodes: int = 4000) -> Iterator[SmallDisk]:
    """Mount one over this folder; what lies there lies on it, with its owners. Skips, or fails on CI, where that may not be."""
    if not IS_ROOT:
        missing("a full disk needs a file system of its own, and that needs root")
    with tempfile.TemporaryDirectory() as aside:
        subprocess.run(["cp", "-a", f"{root}/.", aside], check=True)
        options = f"size={size},nr_inodes={inodes},mode={root.stat().st_mode & 0o7777:o},uid={root.stat().st_uid}"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", root], capture_output=True, text=True, check=False
        )
        if mounted.returncode:
            missing(f"no file system can be mounted here: {mounted.stderr}")
        try:
            subprocess.run(["cp", "-a", f"{aside}/.", root], check=True)
            yield SmallDisk(root)
        finally:
            subprocess.run(["umount", "--lazy", root], check=True)
