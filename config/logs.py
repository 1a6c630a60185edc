"""Logging: structlog events, readable on a terminal and JSON for machines; no secret passes."""

import logging
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TextIO

from config.lean import EventDict, Processor, WrappedLogger, structlog
from config.secrets import MASK, Secrets, masked, without_password
from config.settings import LogSettings

SECRET_KEYS = re.compile(r"passw(or)?d|passphrase|secret|token|authorization|cookie", re.IGNORECASE)


def configure_logging(settings: LogSettings, stream: TextIO, secrets: Secrets | None = None) -> None:
    """Sends the process's events, and the warnings of libraries, to `stream`; what `secrets` has read is masked."""
    machine = settings.format == "json" or (settings.format == "auto" and not stream.isatty())
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    safe = SafeStream(stream)
    shared = _shared(Redaction((lambda: secrets.seen) if secrets else frozenset))
    renderer = _renderer(machine=machine, colors=stream.isatty() and not os.environ.get("NO_COLOR"))
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, *shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: NamedLogger(safe, *names),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    _route_libraries(safe, formatter)


def _shared(redaction: Processor) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redaction,
        _in_reading_order,
    ]


def _in_reading_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    return {**first, **event}


def _renderer(*, machine: bool, colors: bool) -> Processor:
    if machine:
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=32)


def _route_libraries(stream: "SafeStream", formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries tell of each connection and statement at info; only what may need a person is wanted.
    root.setLevel(logging.WARNING)


class SafeStream:
    """A stream whose faults do not reach the writer: a full disk under the log must not stop a publication."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


class NamedLogger:
    """Writes one line for each event; `name` is the module that logs."""

    def __init__(self, stream: SafeStream, name: str = "slipway") -> None:
        self._stream = stream
        self.name = name

    def msg(self, message: str) -> None:
        # One write for line and end, so that lines of several threads and processes stay whole.
        self._stream.write(message + "\n")
        self._stream.flush()

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


class Redaction:
    """Masks the known secrets, values under telling names, and passwords inside URLs."""

    def __init__(self, known: Callable[[], Iterable[str]]) -> None:
        self._known = known

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        secrets = tuple(self._known())
        return {key: MASK if _is_telling(key) else self._masked(value, secrets) for key, value in event.items()}

    def _masked(self, value: object, secrets: tuple[str, ...]) -> object:
        if isinstance(value, (bool, int, float)) or value is None:
            return value
        if isinstance(value, dict):
            return {str(key): self._masked(entry, secrets) for key, entry in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self._masked(entry, secrets) for entry in value]
        text = value if isinstance(value, str) else str(value)
        return without_password(masked(text, secrets))


@lru_cache(maxsize=256)
def _is_telling(key: str) -> bool:
    """Whether what goes by this name is a secret; the program has few names."""
    return SECRET_KEYS.search(key) is not None
