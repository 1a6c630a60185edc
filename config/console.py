"""Settings of the web console."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from config.section import Section

Roles = Literal["viewer", "operator", "approver"]


class ProxySettings(Section):
    """A web server in front of the console."""

    addresses: tuple[str, ...] = ()
    """Addresses or networks of proxies that are believed: X-Forwarded-For, X-Forwarded-Proto, and the headers named here."""
    user_header: str | None = None
    """The header in which the proxy says who signed in, such as X-Remote-User. It must remove what a visitor sends there."""
    role_header: str | None = None
    """The header in which the proxy says which role that person has."""
    roles: dict[str, Roles] = Field(default_factory=dict)
    """Roles by name, where the proxy says none."""
    default_role: Roles | None = "viewer"
    """The role of whoever has no other. Without one they are refused: set `roles` or `role_header`."""


class ConsoleSettings(Section):
    """The web console."""

    bind: str = "127.0.0.1:8780"
    """The address and port to listen at; an IPv6 address in brackets."""
    hosts: tuple[str, ...] = ()
    """Names under which it is reached, beside localhost and the address it listens at. Requests for other names are refused."""
    prefix: str = ""
    """The path under which a proxy shows it, such as /slipway."""
    start: bool = False
    """Whether the daemon runs it."""
    passwords: Path | None = None
    """The file of those who may sign in: lines that `slipway console password NAME` makes."""
    proxy: ProxySettings = ProxySettings()
    metrics: tuple[str, ...] = ()
    """Addresses or networks that may read /metrics without signing in."""
    session: float = Field(default=12, gt=0, le=24 * 90)
    """Hours for which a sign-in is good."""
    title: str = "Slipway"
    """What the pages are headed: of several installations, which one this is."""
