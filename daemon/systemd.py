"""What the service manager wants to hear: sd_notify(3) without libsystemd."""

import os
import socket
from collections.abc import Mapping

OURS = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class Systemd:
    """Tells systemd about this process; does nothing where $NOTIFY_SOCKET is not set."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        variables = os.environ if environ is None else environ
        self._variables = variables
        # A leading @ is systemd's spelling of the abstract namespace, which starts with NUL.
        self._address = variables.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)

    def environment_of_children(self) -> dict[str, str]:
        """The process's own variables without those by which a child would speak for it."""
        return {name: value for name, value in self._variables.items() if name not in OURS}

    def tell(self, *lines: str) -> None:
        """Sends lines such as READY=1, WATCHDOG=1, STOPPING=1, STATUS=text."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as channel:
                channel.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            # Nobody listens, or its queue is full: the work goes on, the next word comes soon.
            return
