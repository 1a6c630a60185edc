"""Text of others on a terminal: what would steer the terminal, or turn around what a person reads, is shown and not sent."""

STEERING = (*range(32), *range(0x7F, 0xA0))
TURNING = (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CELL = (
    {each: f"\\x{each:02x}" for each in STEERING}
    | {each: f"\\u{each:04x}" for each in TURNING}
    | {9: "\\t", 10: "\\n", 13: "\\r"}
)
_LINES = {each: written for each, written in _CELL.items() if each not in {9, 10}}


def visible(text: str) -> str:
    """Lines and tabs stay, for they are ours."""
    return text.translate(_LINES)


def one_line(text: str) -> str:
    """What stands beside other things in a line: a reason with a line break would look like one more task."""
    return text.translate(_CELL)
