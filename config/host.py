"""Which machine this is, and which process of it somebody means."""

import os
import select
import signal
import socket
from enum import StrEnum
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc")

LAST_BREATH = 5.0
"""Seconds that a killed process gets to be gone: one that hangs in the kernel, in a dead network mount for one, does not go."""


class Ended(StrEnum):
    """What came of ending a process."""

    GONE = "gone"
    """It was no more; what has its number now, if anything, is another."""
    KILLED = "killed"
    SPARED = "spared"
    """It may still run: it is another account's, hangs in the kernel, or cannot be told from others."""


def this_host() -> tuple[str, str]:
    """The host's name, and the id of its present boot: with a pid they name one process among all servers.

    Containers share a boot, and each counts its processes anew: the namespace of the pids belongs to the boot's id.
    """
    boot = BOOT_ID.read_text(encoding="ascii").strip()
    space = (PROCESSES / "self/ns/pid").readlink().name.partition("[")[2].rstrip("]")
    return socket.gethostname(), f"{boot}:{space}"


def began_at(pid: int) -> int | None:
    """When a process of this host began, in clock ticks since the boot; None: there is none, or only its remains.

    Pids come again, but not in the same moment.
    """
    try:
        status = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in brackets may hold anything, brackets too.
    fields = status.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def is_running(pid: int, began: int) -> bool:
    """Whether this very process is there still. `began` 0: nobody noted it; then any that has the number counts."""
    found = began_at(pid)
    if found is not None:
        return began in {0, found}
    try:
        os.kill(pid, 0)
    except PermissionError:
        # Another account's, which this one may not even look at.
        return True
    except ProcessLookupError:
        return False
    return False


def end_process(pid: int, began: int) -> Ended:
    """SIGKILL to this very process and to no other; returns when it is gone, or is not going to be."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return Ended.SPARED if is_running(pid, began) else Ended.GONE
    try:
        # Whatever happens to the number from here on, the handle names one process: now see which.
        if not is_running(pid, began):
            return Ended.GONE
        if began_at(pid) != began:
            return Ended.SPARED
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        gone, _, _ = select.select([handle], [], [], LAST_BREATH)
    except OSError:
        # Another account's.
        return Ended.SPARED
    finally:
        os.close(handle)
    return Ended.KILLED if gone else Ended.SPARED
