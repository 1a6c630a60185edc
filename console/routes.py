"""Every address of the console: which function answers, and which role it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from console import health, metrics
from console.api import CALLS, ROOT
from console.api.document import serve
from console.asked import Asked
from console.pages import audit, files, find, insert, module, overview, queue, schedules, signin, targets, task, trends
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
    Place("GET", "/queue", queue.show, LOOK),
    Place("POST", "/queue/confirm", queue.confirm, CHANGE),
    Place("POST", "/queue/change", queue.change, CHANGE),
    Place("GET", "/queue/insert", insert.show, CHANGE),
    Place("POST", "/queue/insert", insert.insert, CHANGE),
    Place("GET", "/queue/modules", insert.modules, LOOK),
    Place("GET", "/task/{id:int}", task.show, LOOK),
    Place("POST", "/task/{id:int}/cancel", task.cancel, CHANGE),
    Place("POST", "/task/{id:int}/hold", task.hold, CHANGE),
    Place("POST", "/task/{id:int}/release", task.release, CHANGE),
    Place("POST", "/task/{id:int}/retry", task.retry, CHANGE),
    Place("POST", "/task/{id:int}/approve", task.approve, DECIDE),
    Place("POST", "/module{url:path}/rollback", module.roll_back, CHANGE),
    Place("POST", "/module{url:path}/takedown", module.take_down, DECIDE),
    Place("POST", "/module{url:path}/lift", module.lift, DECIDE),
    Place("GET", "/module{url:path}", module.show, LOOK),
    Place("GET", "/find", find.show, LOOK),
    Place("GET", "/trends", trends.show, LOOK),
    Place("GET", "/trends.json", trends.figures, LOOK, machine=True),
    Place("GET", "/schedules", schedules.show, LOOK),
    Place("POST", "/schedules/run", schedules.run, CHANGE),
    Place("GET", "/targets", targets.show, LOOK),
    Place("POST", "/targets/{name}/test", targets.test, CHANGE),
    Place("GET", "/audit", audit.show, LOOK),
    Place("POST", "/audit/check", audit.check, CHANGE),
    Place("GET", "/healthz", health.alive, None, machine=True),
    Place("GET", "/readyz", health.ready, None, machine=True),
    Place("GET", "/metrics", metrics.show, None, machine=True),
    Place("GET", f"{ROOT}/openapi.json", partial(serve, CALLS), LOOK, machine=True),
    *(Place(call.method, ROOT + call.path, call.answer, call.role, machine=True) for call in CALLS),
)
"""GET looks and changes nothing, POST changes: with the CSRF token, within the limit, and audited by whoever does it."""
