"""Signing in and out, and the choice of light or dark."""

from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from console.access import COOKIE
from console.asked import THEME, THEMES, Asked
from console.errors import NotSignedIn

YEAR = 365 * 24 * 3600


def show(asked: Asked) -> Response:
    """The form; with the link's token, the sign-in itself."""
    # Who asks for the head alone looks where the link leads, as mail filters do, and does not go there.
    if asked.request.method == "GET" and (token := asked.query.get("token")):
        return _signed_in(asked, asked.console.access.sign_in_by_link(token, asked.request.state.client), "/")
    return _form(asked, asked.query.get("back", "/"))


def sign_in(asked: Asked) -> Response:
    """By name and password."""
    back = asked.back("/")
    name, password = asked.given("name"), (asked.form.get("password") or [""])[-1]
    try:
        cookie = asked.console.access.sign_in(name, password, asked.request.state.client)
    except NotSignedIn as error:
        return _form(asked, back, str(error), name)
    return _signed_in(asked, cookie, back)


def sign_out(asked: Asked) -> Response:
    asked.console.access.sign_out(asked.request.cookies.get(COOKIE))
    response = asked.done("/signin", "You are signed out.")
    response.delete_cookie(COOKIE, path=asked.url("/"))
    return response


def theme(asked: Asked) -> Response:
    """Light, dark, or as the system has it."""
    chosen = asked.given("theme")
    response = asked.done(asked.back("/"))
    asked.set_cookie(response, THEME, chosen if chosen in THEMES else "auto", YEAR)
    return response


def way_to(path: str) -> str:
    """The sign-in page that leads back to this one."""
    return "/signin" if path == "/" else f"/signin?back={quote(path)}"


def _form(asked: Asked, back: str, fault: str | None = None, name: str = "") -> Response:
    access = asked.console.access
    proxied = asked.settings.console.proxy.user_header is not None
    values = {"back": back, "fault": fault, "name": name, "passwords": access.has_passwords, "proxied": proxied}
    return asked.page("signin.html", 401 if fault else 200, **values)


def _signed_in(asked: Asked, cookie: str, path: str) -> Response:
    response = RedirectResponse(asked.url(path), 303)
    asked.set_cookie(response, COOKIE, cookie, asked.console.access.seconds)
    return response
