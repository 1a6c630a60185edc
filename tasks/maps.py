"""The two maps of REDIRECTS in nginx's own language. Pure.

Keys are regular expressions over the decoded path, so that one line stands for a module with all its pages. What is kept of a
page's path in a redirect is kept only if it needs no escapes: nginx writes it into a header as it is.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tasks.addresses import quoted

_REST = "slipway_rest"
_PLAIN_REST = f"(?<{_REST}>(?:/[A-Za-z0-9._~!&'()*+,=:@-]+)+/?)"
"""No two slashes together: behind a redirect to the site's root they would name another server."""
_ORDINARY = re.compile(r"[A-Za-z0-9/_-]")

HEAD = b"""\
# Where modules went that are no longer at their old URL. Made by Slipway; do not edit.
# Read by nginx inside http { }; the manual's page on schedules shows how it is used.
"""


@dataclass(frozen=True, slots=True)
class Move:
    """One module that left `url`. `to`: where it is now, empty if it is nowhere.

    `whole`: one of both is a single file, so that pages below do not go along. `slash`: `to` is a folder.
    """

    url: str
    to: str = ""
    whole: bool = False
    slash: bool = False


def nginx_map(moves: Collection[Move], live: Collection[str]) -> bytes:
    """Both maps. `live`: URLs of modules that are live; one that lies below a module that left is left alone."""
    # The first expression that fits counts: the deepest module comes first.
    ordered = sorted(moves, key=lambda move: (-move.url.count("/"), move.url))
    inner = [url for url in sorted(live, key=lambda url: (-url.count("/"), url)) if _above(url, moves)]
    moved = [line for move in ordered for line in (_redirect(move) if move.to else _stays(move.url))]
    gone = [line for move in ordered for line in ([f"{_below(move.url)} 1;"] if not move.to else _stays(move.url))]
    kept = [line for url in inner for line in _stays(url)]
    return HEAD + _map("slipway_moved", [*kept, *moved]) + _map("slipway_gone", [*kept, *gone])


def _map(name: str, lines: list[str]) -> bytes:
    return "".join([f"map $uri ${name} {{\n", '    default "";\n', *(f"    {line}\n" for line in lines), "}\n"]).encode()


def _above(url: str, moves: Collection[Move]) -> bool:
    return any(url.startswith(move.url + "/") for move in moves)


def _redirect(move: Move) -> Iterator[str]:
    to = _value(move.to)
    if not move.whole:
        yield f'"~^{_key(move.url)}{_PLAIN_REST}$" "{to.rstrip("/")}${_REST}";'
    yield f'{_below(move.url)} "{to.rstrip("/")}{"/" if move.slash else ""}";'


def _stays(url: str) -> Iterator[str]:
    yield f'{_below(url)} "";'


def _below(url: str) -> str:
    """The module and everything in it."""
    return f'"~^{_key(url)}(/|$)"'


def _key(path: str) -> str:
    """A path as a part of a regular expression, in plain ASCII: nginx compares bytes."""
    return "".join(
        letter if _ORDINARY.match(letter) else "".join(f"\\x{byte:02x}" for byte in letter.encode()) for letter in path
    )


def _value(path: str) -> str:
    """A path as it goes into a header; in a value of a map a dollar sign would begin a variable."""
    return quoted(path).replace("$", "%24")
