"""Documents that are in memory, written like any file."""

import io
from hashlib import sha256

from targets.disk import Write


def small_write(path: str, document: bytes, mode: int | None, *, sync: bool) -> Write:
    """A document that is in memory, to be written like any file."""
    return Write(path, lambda: io.BytesIO(document), len(document), sha256(document).digest(), mode=mode, sync=sync)
