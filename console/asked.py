"""What a page's function is given: the console, who asks, and what for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from answers import Attention, attention
from config import Secrets, Settings
from console.access import Access
from console.limits import Limit
from console.live import Live
from console.memory import Memory
from console.people import Person, Role
from console.rendering import Renderer
from console.traffic import Traffic
from database import Database, DatabaseError

SAID = "slipway_said"
SAID_MOST = 700
"""Characters of it: sealed they fit into a cookie, in whatever script they are."""
THEME = "slipway_theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Console:
    """What all requests share."""

    settings: Settings
    secrets: Secrets
    database: Database
    access: Access
    renderer: Renderer
    live: Live
    changes: Limit
    """How often one person may change something."""
    memory: Memory
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def prefix(self) -> str:
        return self.settings.console.prefix


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `form`: what a POST brought, names with all their values."""

    console: Console
    request: Request
    person: Person | None
    form: Mapping[str, list[str]] = field(default_factory=dict)
    body: bytes = b""

    @property
    def someone(self) -> Person:
        """The person; for pages that nobody sees without one."""
        assert self.person is not None
        return self.person

    @property
    def settings(self) -> Settings:
        return self.console.settings

    @property
    def database(self) -> Database:
        return self.console.database

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    def given(self, name: str, default: str = "") -> str:
        """A field of the form, without blanks around it."""
        return (self.form.get(name) or [default])[-1].strip()

    def url(self, path: str) -> str:
        """A path of the console as the browser must ask for it."""
        return self.console.prefix + path

    def may(self, role: str) -> bool:
        """For templates: whether this person may do what needs this role."""
        return self.person is not None and self.person.may(Role[role.upper()])

    @property
    def stay(self) -> str:
        """The page's own address, to come back to; of a page that answers a form there is none."""
        address = self.request.url
        return address.path + (f"?{address.query}" if address.query else "") if self.request.method == "GET" else "/"

    def page(self, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - what the template asks for
        """A page, with everything that all pages have."""
        theme = self.request.cookies.get(THEME, "")
        said = self.console.access.sealer.opened("said", self.request.cookies.get(SAID))
        common = {
            "asked": self,
            "person": self.person,
            "csrf": self.console.access.sealer.token(self.person.subject) if self.person else "",
            "theme": theme if theme in THEMES else "auto",
            "said": said["text"] if said else None,
            "here": self.request.url.path,
            "stay": self.stay,
            "heading": self.settings.console.title,
            "attention": self._attention() if status < 400 else None,
        }
        response = self.console.renderer.page(template, status, {**common, **values})
        if said:
            response.delete_cookie(SAID, path=self.url("/"))
        return response

    def _attention(self) -> Attention | None:
        """What needs a person, for the head of the page; a page is not refused because that cannot be said."""
        try:
            return attention(self.database) if self.person else None
        except DatabaseError:
            return None

    def done(self, path: str, text: str = "") -> Response:
        """After a change: on to a page of the console, which then says what was done."""
        response = RedirectResponse(self.url(path), 303)
        if text:
            sealed = self.console.access.sealer.seal("said", {"text": self.console.secrets.masked(text)[:SAID_MOST]}, 60)
            self.set_cookie(response, SAID, sealed, 60)
        return response

    def back(self, default: str) -> str:
        """The page of the console that a form stood on, as its field `back` says; never another site's."""
        path = self.given("back") or default
        # //host, ///host and /\host lead elsewhere; so does /, tab, /host, for browsers take tabs out.
        inside = path.startswith("/") and not path.startswith("//") and "\\" not in path
        return path if inside and path.isprintable() else default

    def set_cookie(self, response: Response, name: str, value: str, seconds: float) -> None:
        secure = bool(self.request.state.secure)
        response.set_cookie(name, value, int(seconds), path=self.url("/"), secure=secure, httponly=True, samesite="lax")
