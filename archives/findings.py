"""What a check found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a package, or worth knowing."""

    outcome: Literal["failure", "warning"]
    """`failure`: an archive would refuse it, or a reader would miss something."""
    where: str
    """The entry that it is about; the package's own file name if it is about all of it."""
    sentence: str


def failure(where: str, sentence: str) -> Finding:
    """An archive would refuse this, or a reader would miss something."""
    return Finding("failure", _shown(where), _shown(sentence))


def warning(where: str, sentence: str) -> Finding:
    """Worth knowing, no more."""
    return Finding("warning", _shown(where), _shown(sentence))


def _shown(text: str) -> str:
    """Without control characters: names in somebody else's zip must not steer a terminal."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
