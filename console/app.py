"""The application: from a request to the function that answers it, and from what went wrong to a page that says so."""

import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from console.access import COOKIE
from console.asked import Asked, Console
from console.errors import ConsoleRefused, NotAllowed, NotSignedIn, Refused
from console.frame import Frame
from console.pages.signin import way_to
from console.people import Person, Role
from console.problems import PROBLEM, problem, unknown
from console.routes import PLACES, Place
from database import DatabaseError, DatabaseUnavailable, NoSuchTask

log = structlog.get_logger(__name__)

LONGEST_BODY = 1 << 20
LONGEST_FORM = 2000
"""Fields."""
LONGEST_NOTE = 2000
"""Characters, as for the API."""
FORM = "application/x-www-form-urlencoded"


def application(console: Console) -> ASGIApp:
    """The whole console, to be served."""
    paths: dict[str, dict[str, Place]] = {}
    for place in PLACES:
        paths.setdefault(place.path, {})[place.method] = place
    # One route for each path, so that who asks by another method is told of all of them.
    routes = [Route(path, _endpoint(places), methods=list(places)) for path, places in paths.items()]
    routes.append(Route("/live", _live, methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unknown})
    # It would lead to whatever name the request was sent to; Frame takes the slash off instead.
    app.router.redirect_slashes = False
    app.state.console = console
    return Frame(app, console.settings.console, console.access)


def _endpoint(places: Mapping[str, Place]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        place = places["GET" if request.method == "HEAD" else request.method]
        try:
            body = await _body(request)
        except ClientDisconnect:
            # Nobody reads the answer; and no stranger fills the log by going away.
            return Response(status_code=400)
        began = time.monotonic()
        # Everything else may wait for the database, or for a password's hash, and does so in a thread.
        response = await run_in_threadpool(_answered, place, request, body)
        console: Console = request.app.state.console
        console.traffic.note(request.method, place.path, response.status_code, time.monotonic() - began)
        return response

    return answer


async def _body(request: Request) -> bytes | None:
    """What was sent; None if it was too long."""
    parts: list[bytes] = []
    length = 0
    if request.method in {"GET", "HEAD"}:
        return b""
    async for part in request.stream():
        length += len(part)
        if length > LONGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _answered(place: Place, request: Request, body: bytes | None) -> Response:
    console: Console = request.app.state.console
    asked = Asked(console, request, None)
    try:
        asked = _asked(console, place, request, body)
        _check(place, asked)
        return place.answer(asked)
    except NotSignedIn as error:
        return _sign_in_first(place, asked, error)
    except Refused as error:
        return _refusal(place, asked, error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person is told, and the log says where
        return _refusal(place, asked, _meant(error, request))


def _asked(console: Console, place: Place, request: Request, body: bytes | None) -> Asked:
    """Who asks, for what. Raises Refused."""
    if not request.state.known_host:
        host = request.headers.get("host", "")
        raise Refused(421, "Another name", f"This console is not reached as {host!r}. If it should be, add it to console.hosts.")
    if body is None:
        raise Refused(413, "Too long", f"This console takes requests of at most {LONGEST_BODY:,} bytes.")
    # What is for anybody does not fail for words that were meant for a server in front.
    strange = place.role is None and "authorization" in request.headers
    cookie = request.cookies.get(COOKIE)
    who = None if strange else console.access.who(request.state.peer, request.state.client, request.headers, cookie)
    return Asked(console, request, who, _form(request, body), body)


def _check(place: Place, asked: Asked) -> None:
    """Whether they may. Raises Refused."""
    who = asked.person
    if place.role is not None:
        if who is None:
            raise NotSignedIn
        if not who.may(place.role):
            raise NotAllowed(f"{who.name} is {_a(who.role.word)}; this takes {_a(place.role.word)}.")
    if place.method != "GET":
        _check_change(place, asked, who)


def _form(request: Request, body: bytes) -> dict[str, list[str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return {}
    try:
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=LONGEST_FORM)
    except (UnicodeDecodeError, ValueError) as error:
        raise Refused(400, "Not understood", f"The form cannot be read: {error}") from error
    if any(len(note) > LONGEST_NOTE for note in form.get("note", ())):
        # It is written into the queue and into the audit log, for each task of thousands.
        raise Refused(400, "Too long", f"A note has at most {LONGEST_NOTE:,} characters. Nothing was changed.")
    return form


def _check_change(place: Place, asked: Asked, who: Person | None) -> None:
    """A change must come from a page of ours, and not too often. Raises Refused."""
    if not _same_site(asked.request):
        raise NotAllowed("This came from a page of another site. Nothing was changed.")
    if place.role is None or who is None:
        return
    if who.ambient:
        given = asked.given("csrf") or asked.request.headers.get("x-csrf-token", "")
        if not asked.console.access.sealer.is_token(who.subject, given):
            raise NotAllowed(
                "The form is not of this session, or an old one. Go back, load the page again, and send it once more."
            )
    asked.console.changes.take(who.subject, "Too many changes at once.")


def _same_site(request: Request) -> bool:
    """By what browsers say of themselves; scripts that say nothing are known by their Authorization."""
    fetched = request.headers.get("sec-fetch-site")
    if fetched is not None and fetched != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.netloc.lower() in request.state.origins or (parts.hostname or "") in request.state.origins


def _sign_in_first(place: Place, asked: Asked, error: NotSignedIn) -> Response:
    if place.machine:
        response = _refusal(place, asked, error)
        response.headers["WWW-Authenticate"] = 'Basic realm="Slipway", charset="UTF-8"'
        return response
    if place.role is None or "authorization" in asked.request.headers:
        return _refusal(place, asked, error)
    path = asked.request.url.path
    back = path + (f"?{asked.request.url.query}" if asked.request.url.query else "")
    if asked.request.headers.get("hx-request") == "true":
        # A part of a page cannot show the sign-in: the whole page is sent there.
        return Response(status_code=204, headers={"HX-Redirect": asked.url("/signin")})
    return RedirectResponse(asked.url(way_to(back if place.method == "GET" else "/")), 303)


def _meant(error: Exception, request: Request) -> Refused:
    """An error as what a person is told."""
    if isinstance(error, DatabaseUnavailable):
        return Refused(503, "The queue does not answer", str(error), again=5)
    if isinstance(error, NoSuchTask):
        return Refused(409 if request.method != "GET" else 404, "Not possible", str(error))
    if isinstance(error, DatabaseError):
        return Refused(500, "The queue refuses", str(error))
    if isinstance(error, ConsoleRefused):
        log.error("console settings", reason=str(error))
        return Refused(500, "The console's settings", str(error))
    log.error("page failed", path=request.url.path, exc_info=error)
    return Refused(500, "A fault of Slipway", f"{type(error).__name__}. The console's log says where.")


def _refusal(place: Place, asked: Asked, error: Refused) -> Response:
    headers = {} if error.again is None else {"Retry-After": str(error.again)}
    if place.machine:
        return Response(asked.console.secrets.masked(problem(error)), error.status, headers, media_type=PROBLEM)
    response = asked.page("refused.html", error.status, title=error.title, text=str(error))
    response.headers.update(headers)
    return response


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


async def _unknown(request: Request, error: Exception) -> Response:
    """No such address, or not by this method."""
    assert isinstance(error, HTTPException)
    if request.url.path.startswith("/api/"):
        refused = unknown(error.status_code, request.url.path, (error.headers or {}).get("Allow"))
        return Response(problem(refused), error.status_code, error.headers, media_type=PROBLEM)
    words = {404: "There is no such page.", 405: "This page does not take that."}
    asked = Asked(request.app.state.console, request, None)
    return await run_in_threadpool(
        asked.page, "refused.html", error.status_code, title=error.detail, text=words.get(error.status_code, error.detail)
    )


_LIVE = Place("GET", "/live", lambda _: Response(), Role.VIEWER, machine=True)


async def _live(request: Request) -> Response:
    """The stream by which pages learn that something changed."""
    refused = await run_in_threadpool(_answered, _LIVE, request, b"")
    if refused.status_code != 200:
        return refused
    console: Console = request.app.state.console
    headers = {"X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=headers)
    return StreamingResponse(console.live.stream(), media_type="text/event-stream", headers=headers)
