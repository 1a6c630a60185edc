"""Opening the console and serving it until it is told to end."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import uvicorn

from config import Secrets, Settings, place_of_console
from console.access import Access
from console.app import application
from console.asked import Console
from console.errors import ConsoleRefused
from console.limits import Limit
from console.live import Live
from console.memory import Memory
from console.passwords import read_accounts
from console.patience import Impatient
from console.rendering import Renderer
from console.sessions import ENDED_FOLDER, Ended, Sealer, kept_key
from database import Database, Pulses

CHANGES, CHANGE_SECONDS = 60, 0.5
"""Changes that a person may make at once, and the seconds until one more."""
MOST = 1000
"""Connections at once, open streams among them; beyond that visitors are turned away, and those inside are served."""
GRACE = 5
"""Seconds in which answers under way may end."""


def open_console(settings: Settings, secrets: Secrets, database: Database) -> Console:
    """Everything that requests share. Raises ConsoleRefused for a password file that is unsafe or faulty."""
    if settings.console.passwords is not None:
        read_accounts(settings.console.passwords)
    access = Access(settings.console, Sealer(kept_key(settings.state_dir)), Ended(settings.state_dir / ENDED_FOLDER))
    renderer = Renderer(settings.console.prefix, secrets)
    return Console(
        settings, secrets, database, access, renderer, Live(Pulses(database)), Limit(CHANGES, CHANGE_SECONDS), Memory()
    )


def listen(bind: str) -> socket.socket:
    """A socket at this address. Raises ConsoleRefused when it cannot be had."""
    host, port = place_of_console(bind)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: only for such does asyncio switch off the waiting that costs each answer 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        # Who follows the link before the server is there waits a moment, and is not turned away.
        found.listen()
    except OSError as error:
        found.close()
        raise ConsoleRefused(f"console.bind: cannot listen at {bind}: {error.strerror}") from error
    return found


def greeting(console: Console, port: int) -> list[str]:
    """What a person is told at the start: where it is, and how to get in."""
    host, _ = place_of_console(console.settings.console.bind)
    shown = f"[{host}]" if ":" in host else host
    root = f"http://{shown}:{port}{console.prefix}"
    if console.access.link is None:
        return [f"console at {root}/"]
    return [
        f"console at {root}/signin?token={console.access.link}",
        "the link signs in once, as approver; console.passwords lets people sign in by name",
        f"for scripts until it ends: Authorization: Bearer {console.access.bearer}",
    ]


def serving(console: Console) -> uvicorn.Config:
    """How it is served, by whatever runs it."""
    return uvicorn.Config(
        application(console),
        http=Impatient,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=MOST,
    )


def serve(console: Console, channel: socket.socket, ready: Callable[[], None], parent: int | None = None) -> None:
    """Answers until SIGTERM or SIGINT. `ready` is called once it answers. `parent`: a pipe whose end says that nobody is left."""
    server = _Server(serving(console), console.live, ready)
    if parent is not None:
        threading.Thread(target=_outlive_nobody, args=(parent, server.end), daemon=True).start()
    with closing(channel):
        server.run(sockets=[channel])


def _outlive_nobody(parent: int, end: Callable[[], None]) -> None:
    """Bytes are rings, which say nothing here."""
    while os.read(parent, 4096):
        pass
    end()


class _Server(uvicorn.Server):
    """As uvicorn has it, but a signal is a clean end and is not raised again afterwards."""

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live, self._ready = live, ready

    def end(self) -> None:
        self._live.stop()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def asked(_number: int, _frame: object) -> None:
            # Who asks twice does not want to wait.
            self.force_exit = self.should_exit
            self.end()

        before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
