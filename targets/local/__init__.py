"""Targets that are a folder of this machine."""

from targets.local.disk import LocalDisk

__all__ = ["LocalDisk"]
