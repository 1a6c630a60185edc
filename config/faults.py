"""What is wrong with a configuration, in words for the person who wrote it. Never a value: it could be a secret."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """One fault: where it is, what the rule is, and the known name that comes nearest."""

    file: str
    """The file, or the environment variable as `$SLIPWAY_...`."""
    key: str
    """The key with its tables, such as `targets.staging.port`; empty for the file as a whole."""
    message: str
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        hint = f"; did you mean {self.nearest}?" if self.nearest else ""
        return f"{place}: {self.message}{hint}"


class ConfigError(Exception):
    """The configuration cannot be used; `faults` has every reason, and no value of any setting."""

    def __init__(self, faults: Iterable[ConfigFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(*self.faults)

    def __str__(self) -> str:
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        return "\n".join([f"the configuration has {count}:", *(f"  {fault}" for fault in self.faults)])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, if any is close; case, `-` and `_` do not count."""
    spellings = {_plain(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_plain(name), spellings, n=1, cutoff=0.6)
    return spellings[close[0]] if close else None


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
