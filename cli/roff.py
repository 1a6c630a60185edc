"""Text as man(7) macros: headings, paragraphs, and lists of terms."""

from collections.abc import Iterable


def page(name: str, section: int, heading: str, version: str, body: Iterable[str]) -> str:
    """A whole manual page."""
    title = f'.TH {_quoted(name.upper())} {section} "" {_quoted(f"Slipway {version}")} {_quoted(heading)}'
    return "\n".join((title, ".nh", ".ad l", *body)) + "\n"


def section(title: str) -> str:
    return f".SH {_quoted(title)}"


def subsection(title: str) -> str:
    return f".SS {_quoted(title)}"


def paragraph(text: str) -> str:
    """Running text; its line breaks do not matter."""
    return f".PP\n{escaped(' '.join(text.split()))}"


def paragraphs(text: str) -> list[str]:
    """One for each block between blank lines; a block that click would not wrap keeps its lines."""
    made = []
    for block in text.strip().split("\n\n"):
        lines = block.strip().splitlines()
        if lines and lines[0].strip() == "\b":
            made.append("\n".join((".PP", ".nf", *(escaped(line) for line in lines[1:]), ".fi")))
        elif lines:
            made.append(paragraph(block))
    return made


def term(name: str, text: str) -> str:
    """A term in bold, and what it means."""
    return f".TP\n.B {escaped(name)}\n{escaped(' '.join(text.split())) or chr(92) + '&'}"


def escaped(text: str) -> str:
    r"""Text that no character of which is a command: a hyphen is a minus, so that options can be copied."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain


def _quoted(text: str) -> str:
    return '"' + escaped(text).replace('"', '""') + '"'
