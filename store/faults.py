"""The operating system's errors, in the store's words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreFull, StoreHindered, StoreUnwritable

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
        if error.errno in _FULL:
            raise StoreFull(
                f"no room in the content store at {folder}: {error.strerror}; make room on that disk, or run 'slipway store gc'"
            ) from error
        if error.errno in _FOR_THE_MOMENT:
            raise StoreHindered(
                f"the content store at {folder} cannot be used for the moment: {error.strerror}; "
                "look at this machine's disk, memory and limit of open files"
            ) from error
        raise StoreUnwritable(
            f"the content store at {folder} cannot be used: {error.strerror or error}; "
            "check that the folder is writable for this account"
        ) from error
