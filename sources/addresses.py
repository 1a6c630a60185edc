"""Where an HTTP source has what: from a module's URL or a slip's href to an address on the one origin, purely.

A module URL or a path is a name, and every character of it that means something in a URL is quoted. An href is
already a URL (relative to the module's folder, or absolute on the origin) and keeps its query and its escapes.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from packageslip import ITSELF, Resource, View
from sources.errors import AccessRefused, PermanentSourceError

_DEFAULT_PORTS = {"http": 80, "https": 443}
# RFC 3986 3.3: what a path segment may hold as it is, with "/" between segments.
_NAME_SAFE = "/-._~!$&'()*+,;=:@"
_HREF_SAFE = _NAME_SAFE + "%?"
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: all that a request may ever go to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of one source. Each is a request target: the path and query after the origin, quoted."""

    source: str
    origin: Origin
    base: str
    """The path of the configured URL, without a slash at its end."""

    def slip(self, url: str) -> str:
        """The slip of the module at this URL."""
        return self._folder(url) + "packageslip.xml"

    def below(self, path: str) -> str:
        """A path, perhaps with a query, below the configured URL: the catalogue, or something to ask for."""
        return f"{self.base}/{_escaped(path.lstrip('/'), _HREF_SAFE)}"

    def file(self, url: str, file: Resource | View) -> str:
        """A file of the module: at its href if it has one, else at its path. Raises AccessRefused for another origin."""
        folder = self._folder(url)
        if file.href is None and file.path == ITSELF:
            return folder.rstrip("/") or "/"
        if file.href is None:
            return folder + quote(file.path, safe=_NAME_SAFE)
        return self._joined(folder, file.href, f"the href of {file.path!r} in {url}")

    def redirect(self, address: str, location: str) -> str:
        """Where a redirect leads. Raises AccessRefused for another origin."""
        return self._joined(address, location, f"a redirect of {self.origin}{address}")

    def _folder(self, url: str) -> str:
        return f"{self.base}{quote(url.rstrip('/'), safe=_NAME_SAFE)}/"

    def _joined(self, start: str, reference: str, what: str) -> str:
        # Never let a URL parser and an HTTP client disagree about what a control character or a backslash means.
        if any((character <= " " and character != " ") or character in "\\\x7f" for character in reference):
            raise AccessRefused(f"{self.source}: {what} is refused: {reference!r} holds a control character", source=self.source)
        try:
            joined = urljoin(f"{self.origin}{start}", reference)
        except ValueError:
            # Not a URL at all, such as half an IPv6 address: not on the origin either.
            joined = reference
        if origin_of(joined) != self.origin:
            raise AccessRefused(
                f"{self.source}: {what} leads to {joined!r}, which is not on {self.origin}; only that origin is ever asked",
                source=self.source,
            )
        parts = urlsplit(joined)
        query = f"?{_escaped(parts.query, _HREF_SAFE)}" if parts.query else ""
        return (_escaped(parts.path, _NAME_SAFE + "%") or "/") + query


def origin_of(url: str) -> Origin | None:
    """The origin of an absolute http(s) URL without user information; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return Origin(parts.scheme, parts.hostname.lower(), port or _DEFAULT_PORTS[parts.scheme])


def addresses(source: str, url: str) -> Addresses:
    """The addresses below a configured URL. Raises PermanentSourceError if it is not a plain http(s) URL."""
    origin = origin_of(url)
    if origin is None or "?" in url or "#" in url:
        raise PermanentSourceError(
            f"{source}: the url must be http:// or https://, a host and perhaps a path, without account, query or fragment; "
            "an account goes into 'username' and 'password'",
            source=source,
        )
    return Addresses(source, origin, _escaped(urlsplit(url).path.rstrip("/"), _NAME_SAFE + "%"))


def _escaped(part: str, safe: str) -> str:
    """A part of a URL with its escapes as they are; a "%" that begins none is a name's, and servers refuse it bare."""
    return quote(_NO_ESCAPE.sub("%25", part), safe=safe)
