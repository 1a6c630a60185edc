"""Finding every url() and @import of a style sheet."""

import re
from collections.abc import Callable, Iterator

from archives.mirror_marks import Form, Mark

_STRING = r'"((?:[^"\\\n]|\\.)*+)"|' + r"'((?:[^'\\\n]|\\.)*+)'"
_TOKEN = re.compile(
    rf"/\*.*?(?:\*/|\Z)|url\([ \t\r\n\f]*(?:{_STRING}|((?:[^()\"'\s\\]|\\.)++))[ \t\r\n\f]*\)"
    rf"|@import[ \t\r\n\f]+(?:{_STRING})|\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?|\\.",
    re.IGNORECASE | re.DOTALL,
)
"""What is a string or an escape is passed over whole, also without its end: nothing is read twice, however hostile the text."""
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\r\n\f]?|(.))", re.DOTALL)


def urls_in_css(text: str, decode: Callable[[str], str], offset: int = 0) -> Iterator[Mark]:
    """Every URL that a style sheet names; comments and other strings are passed over. `offset` is added to each place."""
    for token in _TOKEN.finditer(text):
        group = next((number for number in range(1, 6) if token[number] is not None), None)
        if group:
            start, end = token.span(group)
            value = _ESCAPE.sub(_escaped, decode(token[group]))
            yield Mark(offset + start, offset + end, "", Form.SHEET, True, value)


def _escaped(found: re.Match[str]) -> str:
    if not found[1]:
        return found[2]
    number = int(found[1], 16)
    return chr(number) if 0 < number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
