"""What can be wrong with a packageslip.

SlipError                  the slip cannot be used as it is; permanent
├── BadSlip                one or more faults, each with its line and its rule
├── UnsafePath             a path that must never reach a target
└── SignatureRefused       it is not signed as it has to be; never published
    └── SerialSuspect      rightly signed, but its number is not the next: a person may know why
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, which rule, and what to do."""

    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.message} [{self.rule}]"


class SlipError(Exception):
    """The slip cannot be used as it is; asking again gives the same answer."""


class BadSlip(SlipError):
    """The slip breaks rules; `faults` has them all, in the order of the document."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.name = name
        self.faults = tuple(faults)
        more = f" (and {len(self.faults) - 1} more faults; 'slipway slip check' lists them)" if len(self.faults) > 1 else ""
        super().__init__(f"{name}: {self.faults[0]}{more}")


class UnsafePath(SlipError):
    """A path that must not be written to any target."""

    def __init__(self, path: str, rule: str, why: str) -> None:
        self.path, self.rule, self.why = path, rule, why
        super().__init__(f"path {path!r} is refused: {why} [{rule}]")


class SignatureRefused(SlipError):
    """A slip that must not be believed; `rule` is one of docs/signing.md."""

    def __init__(self, message: str, rule: str) -> None:
        self.rule = rule
        super().__init__(f"{message} [{rule}]")


class SerialSuspect(SignatureRefused):
    """The serial went back, was used twice, or jumped (G10). `digest` (hex): what an approval of this very slip names."""

    def __init__(self, message: str, digest: str) -> None:
        self.digest = digest
        super().__init__(message, "G10")
