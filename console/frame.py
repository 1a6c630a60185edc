"""Around every request: whose it is behind a proxy, under which name it came, and the headers of every answer."""

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config import ConsoleSettings, place_of_console
from console.access import Access
from console.addresses import plain

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
HOUR = 3600
LONGEST = 2000
"""Characters of a path: a module's has at most 500."""


class Frame:
    """The outermost layer. It notes `peer`, `client`, `secure` and `origins` in the request's state, and takes the prefix off."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings, access: Access) -> None:
        self._app, self._prefix, self._access = app, settings.prefix, access
        self._public = frozenset(name.lower() for name in settings.hosts)
        self._names = {"localhost", place_of_console(settings.bind)[0], *self._public}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        peer = plain((scope.get("client") or ("", 0))[0])
        trusted = self._access.trusts(peer)
        secure = scope["scheme"] == "https" or (trusted and headers.get("x-forwarded-proto", "").lower() == "https")
        host = headers.get("host", "")
        scope.setdefault("state", {})
        scope["state"] |= {
            "peer": peer,
            "client": self._client(peer, headers.getlist("x-forwarded-for")) if trusted else peer,
            "secure": secure,
            "known_host": self._knows(host),
            # Of its public names any port is its own, for proxies hide theirs; other ports of localhost are other programs.
            "origins": frozenset({host.lower(), *self._public}),
        }
        # The cookie is for what lies below the prefix, and does not come with the prefix alone.
        bare = bool(self._prefix) and scope["path"] == self._prefix
        self._take_prefix_off(scope)
        app: ASGIApp = self._app if len(scope["path"]) <= LONGEST else TOO_LONG
        app = RedirectResponse(self._prefix + "/", 307) if bare else app
        await app(scope, receive, self._sender(send, secure=secure))

    def _knows(self, host: str) -> bool:
        """A page of somebody else's can give its own name this address; then the browser would take both for one."""
        name = _name(host)
        return name in self._names or _is_address(name)

    def _client(self, peer: str, forwarded: Iterable[str]) -> str:
        """The last address that no proxy of ours wrote about another of ours; what stands before it anybody can have sent."""
        hops = [plain(hop.strip()) for line in forwarded for hop in line.split(",") if hop.strip()]
        return next((hop for hop in reversed(hops) if not self._access.trusts(hop)), peer)

    def _take_prefix_off(self, scope: Scope) -> None:
        """Proxies hand the path on with the prefix, or without it; both are understood. So is a slash too many at its end."""
        path = scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            path = path[len(self._prefix) :]
        scope["path"] = path.rstrip("/") or "/"

    def _sender(self, send: Send, *, secure: bool) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers[name] = value
                if secure:
                    headers["Strict-Transport-Security"] = f"max-age={24 * HOUR * 365}"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return with_headers


TOO_LONG = PlainTextResponse("This address is too long.\n", 414)


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
