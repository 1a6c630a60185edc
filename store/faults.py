"""The operating system's errors, in the store's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreError, StoreFull, StoreHindered, StoreUnwritable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FOR_THE_MOMENT = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EROFS, errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ESTALE, errno.ENOENT}
)
"""What passes without a change of the folder: limits of the machine, a disk that is mounted anew (ENOENT: it went away
after the folder was made)."""


@contextmanager
def disk_faults(folder: Path | str) -> Iterator[None]:
    """Raise StoreFull, StoreHindered or StoreUnwritable for an OSError; `folder` is what the message names."""
    try:
        yield
    except OSError as error:
        raise disk_fault(folder, error) from error


def disk_fault(folder: Path | str, error: OSError) -> StoreError:
    """The same for who cannot afford a block, which costs as much as a system call."""
    if error.errno in _FULL:
        return StoreFull(
            f"no room in the content store at {folder}: {error.strerror}; make room on that disk, or run 'slipway store gc'"
        )
    if error.errno in _FOR_THE_MOMENT:
        return StoreHindered(
            f"the content store at {folder} cannot be used for the moment: {error.strerror}; "
            "look at this machine's disk, memory and limit of open files"
        )
    return StoreUnwritable(
        f"the content store at {folder} cannot be used: {error.strerror or error}; "
        "check that the folder is writable for this account"
    )
