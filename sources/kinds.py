"""Which kinds of source there are, and how one is opened by its name in the configuration."""

from collections.abc import Callable
from typing import Protocol

from config import DirectorySource as DirectorySettings
from config import HttpSource as HttpSettings
from config import Secret, Settings
from packageslip import Limits
from sources.contract import Source
from sources.directory import DirectorySource
from sources.errors import PermanentSourceError
from sources.target import TargetSource
from targets import Target

KINDS = ("http", "directory")
"""Every kind of source that has a table of its own in the configuration."""

_TARGET = "target:"


class Secrets(Protocol):
    """Who reads secrets. The configuration's `Secrets` is one."""

    def read(self, secret: Secret) -> str:
        """The secret itself."""


def open_source(name: str, settings: Settings, *, targets: Callable[[str], Target], secrets: Secrets) -> Source:
    """The source of this name, or for `target:NAME` that target as a source; nothing is connected yet.

    `targets` opens a target by its name; it is called once for each thread that reads. Raises PermanentSourceError for
    a name that is not configured, and what `secrets` raises.
    """
    if name.startswith(_TARGET):
        target = name.removeprefix(_TARGET)
        return TargetSource(name, lambda: targets(target))
    limits = Limits(bytes=settings.limits.slip_bytes, resources=settings.limits.resources, depth=settings.limits.depth)
    match settings.sources.get(name):
        case HttpSettings() as options:
            # Imported here: HTTP and TLS are a large part of an engine's start that other kinds need not pay.
            from sources.http import HttpSource  # noqa: PLC0415

            password = secrets.read(options.password) if options.password else None
            return HttpSource(name, options, limits=limits, password=password)
        case DirectorySettings() as options:
            return DirectorySource(
                name, options.path, build_slips=options.build_slips, signed=options.signatures is not None, limits=limits
            )
    known = ", ".join(settings.sources) or "none"
    raise PermanentSourceError(f"there is no source {name!r} in the configuration; it has: {known}", source=name)
