"""The operating system's errors, in the store's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreFull, StoreUnwritable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Raise StoreFull or StoreUnwritable for an OSError; `folder` is what the message names."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(
                f"no room in the content store at {folder}: {error.strerror}; "
                "make room on that disk, or run 'slipway store gc', and retry the task"
            ) from error
        raise StoreUnwritable(
            f"the content store at {folder} cannot be used: {error.strerror or error}; "
            "check that the folder is writable for this account"
        ) from error
