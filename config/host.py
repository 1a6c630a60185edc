"""Which machine this is."""

import socket
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_host() -> tuple[str, str]:
    """The host's name, and the id of its present boot: with a pid they name one process among all servers."""
    return socket.gethostname(), BOOT_ID.read_text(encoding="ascii").strip()
