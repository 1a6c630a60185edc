"""Addresses of machines, in one spelling."""

import ipaddress
import re

WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>\d+\.\d+\.\d+\.\d+):\d+")


def plain(text: str) -> str:
    """Without the port that some proxies add, without a zone; one of IPv4 that came to a socket of IPv6 as what it is.

    Else each port would be somebody else for the limits, and all of IPv4 one household. What is no address stays as it is.
    """
    found = WITH_PORT.fullmatch(text)
    bare = (found["six"] or found["four"] or "") if found else text
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return text
    return str(getattr(address, "ipv4_mapped", None) or address)
