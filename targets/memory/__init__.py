"""Targets in memory, for tests: real ones, that pass the same suite."""

from targets.memory.disk import Hook, MemoryDisk
from targets.memory.files import MemoryFiles, Node

__all__ = ["Hook", "MemoryDisk", "MemoryFiles", "Node"]
