"""What makes a program's start short. Each imports this package before all else, for this.

Reading code makes objects that stay. Python would look through them for cycles again and again, a seventh of an engine's start,
and later through a slip's thousands of resources; there are next to none.

structlog draws tracebacks with rich where rich can be imported, and reads it at once, with pygments and attrs: a twentieth of an
engine's start. Here the log has tracebacks as Python writes them, and the command imports what it draws with by itself.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["EventDict", "Processor", "WrappedLogger", "structlog"]

gc.set_threshold(20_000, 20, 20)


@contextmanager
def _out_of_sight(name: str) -> Iterator[None]:
    """Importing this package fails meanwhile, as it does where it is not installed."""
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    before = modules.get(name)
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]
        if before is not None:
            modules[name] = before


with _out_of_sight("rich"):
    import structlog
    from structlog.typing import EventDict, Processor, WrappedLogger
