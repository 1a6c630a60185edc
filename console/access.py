"""Who asks: by a session's cookie, a proxy's header, or what a script sends with each request."""

import hmac
import ipaddress
import secrets
import threading
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from config import ConsoleSettings
from console.errors import NotSignedIn
from console.limits import Limit
from console.passwords import PasswordFile
from console.people import Person, Role, role_of
from console.sessions import Ended, Sealer

COOKIE = "slipway_session"
TRIES, TRY_SECONDS = 10, 30.0
"""Sign-ins that one address may try at once, and the seconds until it may try one more."""
LONGEST_NAME = 255
"""Characters of who asked, as the queue keeps it."""
KNOWN = 100
"""Sign-ins of scripts that are remembered, so that not each request costs a tenth of a second."""


class Access:
    """What the settings say about people. `link` and `bearer` are there only where nobody could sign in otherwise."""

    def __init__(self, settings: ConsoleSettings, sealer: Sealer, ended: Ended, limit: Limit | None = None) -> None:
        self._proxy, self._seconds = settings.proxy, settings.session * 3600
        self._networks = [ipaddress.ip_network(each) for each in settings.proxy.addresses]
        self.sealer, self.ended, self._passwords = sealer, ended, PasswordFile(settings.passwords)
        self._limit = limit or Limit(TRIES, TRY_SECONDS)
        self._lock = threading.Lock()
        self._scripts: dict[str, tuple[str, str]] = {}
        self.has_passwords = settings.passwords is not None
        local = not self.has_passwords and settings.proxy.user_header is None
        self._link = secrets.token_urlsafe(32) if local else None
        self.bearer = secrets.token_urlsafe(32) if local else None

    @property
    def link(self) -> str | None:
        """The token of the link that signs in once; None when it was used, or there is none."""
        return self._link

    def trusts(self, peer: str) -> bool:
        """Whether this is one of the proxies that are believed."""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def who(self, peer: str, client: str, headers: Headers, cookie: str | None) -> Person | None:
        """The person, or None. `peer`: who is connected; `client`: for whom. Raises Refused for wrong words from a script."""
        # First, for proxies that sign people in by HTTP Basic hand on what they were given.
        if self._proxy.user_header is not None and self.trusts(peer) and (name := headers.get(self._proxy.user_header)):
            return self._proxied(name, headers)
        if "authorization" in headers:
            return self._script(headers["authorization"], client)
        return self._session(self.sealer.opened("session", cookie))

    def sign_in(self, name: str, password: str, client: str) -> str:
        """The session's cookie. Raises Refused."""
        self._try(client)
        account = self._passwords.sign_in(name, password)
        if account is None:
            raise NotSignedIn("Name and password do not fit together.")
        return self._sealed({"name": account.name, "how": "password", "print": self.sealer.digest(account.hash)})

    def sign_in_by_link(self, token: str, client: str) -> str:
        """The same by the link that was printed at the start; it is good once. Raises Refused."""
        self._try(client)
        with self._lock:
            good = self._link is not None and hmac.compare_digest(token.encode(), self._link.encode())
            if good:
                self._link = None
        if not good:
            raise NotSignedIn("This link was used already, or is of an earlier start. Start the console again for a new one.")
        return self._sealed({"name": "local", "how": "token", "print": self.sealer.digest(self.bearer or "")})

    def sign_out(self, cookie: str | None) -> None:
        """The session is over, wherever a copy of its cookie is."""
        if content := self.sealer.opened("session", cookie):
            self.ended.add(str(content["id"]), float(content["until"]))

    @property
    def seconds(self) -> float:
        """How long a session lasts."""
        return self._seconds

    def _try(self, client: str) -> None:
        self._limit.take(_household(client), "Too many sign-ins from this address.")

    def _sealed(self, content: Mapping[str, Any]) -> str:
        return self.sealer.seal("session", {"id": secrets.token_hex(8), **content}, self._seconds)

    def _session(self, content: Mapping[str, Any] | None) -> Person | None:
        """The role is what the file says now, not when the session began."""
        if content is None or str(content["id"]) in self.ended:
            return None
        name, subject = str(content["name"]), str(content["id"])
        if content["how"] == "token":
            same = self.bearer is not None and content["print"] == self.sealer.digest(self.bearer)
            return Person(name, Role.APPROVER, "token", subject) if same else None
        account = self._passwords.account(name)
        if account is None or content["print"] != self.sealer.digest(account.hash):
            return None
        return Person(name, account.role, "password", subject)

    def _proxied(self, name: str, headers: Headers) -> Person | None:
        """None also where a header is there twice: one of them is the visitor's own, and nobody knows which."""
        named = [header for header in (self._proxy.user_header, self._proxy.role_header) if header is not None]
        if len(name) > LONGEST_NAME or any(len(headers.getlist(header)) > 1 for header in named):
            return None
        said = headers.get(self._proxy.role_header) if self._proxy.role_header is not None else None
        word = said or self._proxy.roles.get(name) or self._proxy.default_role
        role = role_of(word) if word else None
        return None if role is None else Person(name, role, "proxy", f"proxy:{name}")

    def _script(self, header: str, client: str) -> Person:
        kind, _, value = header.partition(" ")
        if kind.lower() == "bearer":
            if self.bearer is not None and hmac.compare_digest(value.strip().encode(), self.bearer.encode()):
                return Person("local", Role.APPROVER, "bearer", "bearer")
            self._try(client)
            raise NotSignedIn("This token is not the one that the console printed when it started.")
        if kind.lower() == "basic":
            return self._basic(value.strip(), client)
        raise NotSignedIn("The Authorization header must be Basic, or Bearer.")

    def _basic(self, value: str, client: str) -> Person:
        name, _, password = _decoded(value).partition(":")
        key = self.sealer.digest(value) + name
        account = self._passwords.account(name)
        if account is None or self._scripts.get(key) != (account.name, account.hash):
            self._try(client)
            account = self._passwords.sign_in(name, password)
            if account is None:
                raise NotSignedIn("Name and password do not fit together.")
            with self._lock:
                if len(self._scripts) >= KNOWN:
                    self._scripts.clear()
                self._scripts[key] = (account.name, account.hash)
        return Person(account.name, account.role, "basic", f"basic:{account.name}")


def _decoded(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode()
    except (BadBase64, ValueError):
        raise NotSignedIn("The Authorization header is not what Basic says it must be.") from None


def _household(client: str) -> str:
    """Whom the tries of an address count for: of IPv6 the network, of which one household has all addresses."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return str(address) if address.version == 4 else str(ipaddress.ip_network(f"{address}/64", strict=False))
