"""The console on a real port of this machine, answered by uvicorn as it is in use."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from console import Console, listen
from console.serving import serving


@contextmanager
def served(console: Console) -> Iterator[str]:
    """Its address while the block lasts."""
    channel = listen("127.0.0.1:0")
    server = uvicorn.Server(serving(console))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [channel]}, name="console")
    thread.start()
    try:
        yield f"http://127.0.0.1:{channel.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        channel.close()
