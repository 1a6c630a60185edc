"""What can be wrong with the console's settings, and what would be unsafe."""

import ipaddress
import re
from collections.abc import Iterator

from config.console import ConsoleSettings
from config.validate import Finding

PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
HEADER = re.compile(r"[A-Za-z0-9-]+")


def place_of_console(bind: str) -> tuple[str, int]:
    """The address and the port in `bind`. Raises ValueError."""
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise ValueError("must be an address and a port, such as 127.0.0.1:8780 or [::1]:8780")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    return ("127.0.0.1" if host == "localhost" else str(ipaddress.IPv4Address(host))), int(port)


def console_findings(console: ConsoleSettings) -> Iterator[Finding]:
    """Every fault."""
    place = ("console",)
    try:
        host, _ = place_of_console(console.bind)
    except ValueError:
        yield Finding((*place, "bind"), "must be an address and a port, such as 127.0.0.1:8780 or [::1]:8780")
    else:
        # The link of a local try is read on this machine's terminal; others could only guess.
        if not ipaddress.ip_address(host).is_loopback and console.passwords is None and console.proxy.user_header is None:
            yield Finding(
                (*place, "bind"),
                "is an address that others reach, and nobody could sign in there; set console.passwords, or let a proxy sign "
                "people in (console.proxy.user_header)",
            )
    if not PREFIX.fullmatch(console.prefix):
        yield Finding((*place, "prefix"), "must be a path such as /slipway, without a slash at its end")
    yield from _networks((*place, "metrics"), console.metrics)
    yield from _proxy(console)


def _networks(place: tuple[str, ...], addresses: tuple[str, ...]) -> Iterator[Finding]:
    for position, address in enumerate(addresses):
        try:
            ipaddress.ip_network(address)
        except ValueError:
            yield Finding((*place, position), "must be an address or a network, such as 127.0.0.1 or 10.1.0.0/16")


def _proxy(console: ConsoleSettings) -> Iterator[Finding]:
    place, proxy = ("console", "proxy"), console.proxy
    yield from _networks((*place, "addresses"), proxy.addresses)
    for key in ("user_header", "role_header"):
        name = getattr(proxy, key)
        if name is not None and not HEADER.fullmatch(name):
            yield Finding((*place, key), "must be a header's name, such as X-Remote-User")
    if proxy.user_header is not None and not proxy.addresses:
        yield Finding((*place, "addresses"), "is missing; without it anybody could send the header that says who signed in")
    if proxy.role_header is not None and proxy.user_header is None:
        yield Finding((*place, "user_header"), "is missing; there is a role_header")
