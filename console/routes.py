"""Every address of the console: which function answers, and which role it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from console.asked import Asked
from console.pages import files, overview, signin
from console.people import Role

Answer = Callable[[Asked], Response]


@dataclass(frozen=True, slots=True)
class Place:
    """One address. Without a role anybody is answered. `machine`: refusals are JSON, and nobody is sent to the sign-in page."""

    method: str
    path: str
    answer: Answer
    role: Role | None
    machine: bool = False


LOOK, CHANGE, DECIDE = Role.VIEWER, Role.OPERATOR, Role.APPROVER

PLACES: tuple[Place, ...] = (
    Place("GET", "/static/{name}", files.static, None),
    Place("GET", "/favicon.ico", files.favicon, None),
    Place("GET", "/signin", signin.show, None),
    Place("POST", "/signin", signin.sign_in, None),
    Place("POST", "/signout", signin.sign_out, LOOK),
    Place("POST", "/theme", signin.theme, None),
    Place("GET", "/", overview.show, LOOK),
    Place("POST", "/environment/{name}", overview.change, CHANGE),
)
"""GET looks and changes nothing, POST changes: with the CSRF token, within the limit, and audited by whoever does it."""
