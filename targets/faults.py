"""Errors of an operating system as ours."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from targets.errors import NoSpace, PermissionRefused, TargetError, TargetUnfit, TransientTargetError

ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
DENIED = frozenset({errno.EACCES, errno.EPERM})
REFUSED = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.EINVAL, errno.ELOOP, errno.EBUSY, errno.ENAMETOOLONG})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def target_error(error: OSError, target: str) -> TargetError:
    """What an error of a system call means for the task."""
    what = f"{target}: {error.filename2 or error.filename or 'a file'}: {error.strerror or error}"
    if error.errno in FULL:
        return NoSpace(f"{what}; make room there", target=target)
    if error.errno == errno.EROFS:
        return PermissionRefused(f"{what}; mount it for writing", target=target)
    if error.errno in DENIED:
        return PermissionRefused(f"{what}; give the account that right", target=target)
    if error.errno == errno.EXDEV:
        return TargetUnfit(f"{what}; the area and the root must be on one file system", target=target)
    return TransientTargetError(what, target=target)


@contextmanager
def as_target_errors(target: str) -> Iterator[None]:
    """Raise ours for every OSError but FileNotFoundError, which callers of a Disk expect."""
    try:
        yield
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(error.errno, error.strerror, error.filename) from error
    except OSError as error:
        raise target_error(error, target) from error
