"""Connections that go to public addresses only."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from urllib3.connection import HTTPConnection
from urllib3.exceptions import LocationParseError

from sources.errors import AccessRefused
from sources.watchdog import WatchedHttp, WatchedHttps

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address, which a NAT64 gateway connects to."""


def is_public(address: str) -> bool:
    """Whether this address (in text) can be anybody's on the internet: no loopback, private, link-local or multicast one."""
    found = ip_address(address.partition("%")[0])
    inner = _wrapped(found) if isinstance(found, IPv6Address) else None
    return all(each.is_global and not each.is_multicast for each in (found, inner) if each is not None)


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that is meant by this one, if one is."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def public_address(host: str, port: int) -> str:
    """The address to connect to. Raises AccessRefused if the host has any address that is not public, OSError or
    urllib3's LocationParseError if it has none.
    """
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:
        raise LocationParseError(host) from error
    inside = [address for address in found if not is_public(address)]
    if inside:
        raise AccessRefused(
            f"web: {host} is {inside[0]}, which is no public address; what pages link to must not lead to machines of this "
            "network (web.allow_private allows it)",
            source="web",
        )
    return found[0]


def _connected(connection: HTTPConnection, connect: Callable[[], socket.socket]) -> socket.socket:
    """Connect to the very address that was looked at; the name stays what TLS and the Host header say."""
    name = connection._dns_host  # noqa: SLF001 - urllib3 keeps the name to resolve here
    connection._dns_host = public_address(name, connection.port)  # noqa: SLF001 - as above
    try:
        return connect()
    finally:
        connection._dns_host = name  # noqa: SLF001 - as above


class PublicHttp(WatchedHttp):
    """A connection to a public address, or none."""

    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)


class PublicHttps(WatchedHttps):
    """The same over TLS."""

    def _new_conn(self) -> socket.socket:
        return _connected(self, super()._new_conn)
