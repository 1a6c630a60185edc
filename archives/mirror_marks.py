"""Where the links of a page stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """How a value says where it leads."""

    URL = "url"
    SET = "set"
    """Several images to choose from (srcset)."""
    STYLE = "style"
    """A style attribute: CSS with url() in it."""
    SHEET = "sheet"
    """One url() or @import of a style sheet."""
    REFRESH = "refresh"
    """A meta refresh: seconds, then a URL."""
    BASE = "base"
    """What all other links of the page are relative to."""
    CODEBASE = "codebase"
    """The folder of an applet's files; `beside` is the first of them."""
    ARCHIVE = "archive"
    """An applet's archives, with commas; `beside` is the codebase."""
    CODE = "code"
    """An applet's class as a file's name; `beside` is the codebase."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One value with links in it: where it stands in the text, its quote if any, and what it says with all escapes read."""

    start: int
    end: int
    quote: str
    form: Form
    embed: bool
    """Whether the page shows or runs what is there, rather than leading to it."""
    value: str
    beside: str = ""

    def pack(self) -> list[str | int | bool]:
        """For JSON."""
        return [self.start, self.end, self.quote, self.form, self.embed, self.value, self.beside]


def unpack(fields: Sequence[object]) -> Mark:
    """The mark that was packed."""
    start, end, quote, form, embed, value, beside = fields
    assert isinstance(start, int)
    assert isinstance(end, int)
    return Mark(start, end, str(quote), Form(str(form)), bool(embed), str(value), str(beside))


@dataclass(frozen=True, slots=True)
class Scan:
    """The marks of one page in their order, and what its <base> says, if it has one."""

    marks: tuple[Mark, ...] = ()
    base: str | None = None
