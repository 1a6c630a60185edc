"""/metrics: what Prometheus reads. Numbers of the queue come from the database at each scrape, none by counting it through."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from importlib.metadata import version

from starlette.responses import Response

from answers import EnvironmentState, overview
from console.asked import Asked
from console.errors import NotSignedIn
from console.exposition import TYPE, Family, counter, gauge, summary, text_of
from console.traffic import Traffic
from console.within import PATIENCE, within
from database import DatabaseError, Desk, Intake, Leases, Outcome, Task, Total, Trends

COUNTED = 10_000
"""Where counting stops: further entries of an index are not worth their time."""
OUTCOMES = (*Outcome, "LOST", "RETURNED")
"""How an attempt can end: as its engine says, or by the engine's death, with the task begun or not."""
KINDS = ("new", "due", "later", "on_hold", "running", "held")


def show(asked: Asked) -> Response:
    """For viewers, and for the addresses of console.metrics. With the database down, it says so and what is known without."""
    state = asked.request.state
    # Through a proxy that is not among console.proxy.addresses everybody has its address.
    hidden = "x-forwarded-for" in asked.request.headers and not asked.console.access.trusts(state.peer)
    if asked.person is None and (hidden or not allowed(state.client, asked.settings.console.metrics)):
        raise NotSignedIn("Sign in, or add this address to console.metrics.")
    families = [*of_program(asked)]
    try:
        families += [*within(PATIENCE, lambda: list(of_queue(asked))), gauge("slipway_database_up", UP, [(1, {})])]
    except DatabaseError:
        families.append(gauge("slipway_database_up", UP, [(0, {})]))
    families += of_traffic(asked.console.traffic)
    return Response(asked.console.secrets.masked(text_of(families)), media_type=TYPE)


UP = "Whether the queue's database answers."


def allowed(client: str, networks: tuple[str, ...]) -> bool:
    """Whether this address may read without signing in."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(each) for each in networks)


def of_program(asked: Asked) -> Iterator[Family]:
    yield gauge("slipway_info", "The program.", [(1, {"version": version("slipway"), "database": asked.database.dialect})])


def of_queue(asked: Asked) -> Iterator[Family]:
    """Raises DatabaseError."""
    found = overview(asked.database, asked.settings, COUNTED)
    now = Leases(asked.database).now()
    depths = [(float(getattr(each.waiting, kind)), {"environment": each.name, "kind": kind}) for each in found for kind in KINDS]
    yield gauge("slipway_queue_tasks", f"Tasks that are not finished, by what they wait for; counted up to {COUNTED}.", depths)
    yield by_environment("slipway_queue_oldest_due_seconds", OLDEST, found, lambda each: age(each.oldest, now))
    yield by_environment("slipway_engines_up", "Engines that are up.", found, lambda each: len(each.engines))
    yield by_environment("slipway_environment_paused", "1: paused or drained.", found, lambda each: each.state != "works")
    yield by_environment("slipway_environment_outages", OUTAGES, found, lambda each: len(each.outages))
    yield by_environment("slipway_last_success_timestamp_seconds", "When a task last ended well; 0: never.", found, last_success)
    yield by_environment("slipway_last_failure_timestamp_seconds", "When a task last failed; 0: never.", found, last_failure)
    breakers = [(float(each.open), {"name": each.name}) for each in Desk(asked.database).breakers()]
    yield gauge("slipway_breaker_open", "1: this target, source or notice does not answer and is left alone.", breakers)
    stopped = Intake(asked.database).poll().stopped is not None
    yield gauge("slipway_queue_stopped", "1: nothing is claimed until somebody says how it goes on.", [(float(stopped), {})])
    yield from of_attempts(with_zeros(Trends(asked.database).totals(), asked.settings.environments))


OUTAGES = "Its targets, sources and notices that do not answer."
OLDEST = "For how long the first of those that are due could have run; 0: none is."


def by_environment(name: str, help_: str, found: list[EnvironmentState], value: Callable[[EnvironmentState], float]) -> Family:
    return gauge(name, help_, [(float(value(each)), {"environment": each.name}) for each in found])


def age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def last_success(state: EnvironmentState) -> float:
    return _ended(state.last_success)


def last_failure(state: EnvironmentState) -> float:
    return _ended(state.last_failure)


def _ended(task: Task | None) -> float:
    return task.finished_at.timestamp() if task and task.finished_at else 0.0


def with_zeros(totals: list[Total], environments: Iterable[str]) -> list[Total]:
    """The same, and 0 for each ending that there was not yet: to Prometheus, a counter that is born at 1 has never grown."""
    known = {(each.environment, each.measure) for each in totals}
    wanted = [(name, f"outcome:{outcome}") for name in environments for outcome in OUTCOMES]
    return [*totals, *(Total(*each, 0, 0.0) for each in wanted if each not in known)]


def of_attempts(totals: list[Total]) -> Iterator[Family]:
    """What all attempts ever added up to, half a minute after each has ended."""
    yield _counts("slipway_attempts_total", "Attempts that ended, by outcome.", totals, "outcome")
    yield _counts("slipway_tasks_succeeded_total", "Attempts that succeeded, by action.", totals, "action")
    yield _counts("slipway_failures_total", "Attempts that did not succeed, by class of error.", totals, "error")
    yield _sums("slipway_moved_bytes_total", "Bytes that were put on targets.", totals, "moved")
    yield _sums("slipway_saved_bytes_total", "Bytes that did not have to be moved: they lay there already.", totals, "saved")
    steps = [(each.total, each.n, _labels(each, "step")) for each in totals if each.measure.startswith("phase:")]
    yield summary("slipway_step_seconds", "How long the steps of attempts took.", steps)
    waits = [(each.total, each.n, {"environment": each.environment}) for each in totals if each.measure == "age"]
    yield summary("slipway_wait_seconds", "From when a task could run to its claim.", waits)


def _counts(name: str, help_: str, totals: list[Total], kind: str) -> Family:
    return counter(name, help_, [(each.n, _labels(each, kind)) for each in totals if each.measure.startswith(f"{kind}:")])


def _sums(name: str, help_: str, totals: list[Total], measure: str) -> Family:
    return counter(name, help_, [(each.total, {"environment": each.environment}) for each in totals if each.measure == measure])


def _labels(total: Total, kind: str) -> dict[str, str]:
    return {"environment": total.environment, kind: total.measure.partition(":")[2]}


def of_traffic(traffic: Traffic) -> Iterator[Family]:
    """What this process was asked since it started."""
    answers = traffic.answers()
    yield counter(
        "slipway_console_requests_total",
        "Answers of this console, by address and status.",
        [(number, {"method": method, "path": path, "status": str(status)}) for (method, path, status), number in answers.items()],
    )
    counts: dict[tuple[str, str], int] = {}
    for (method, path, _), number in answers.items():
        counts[method, path] = counts.get((method, path), 0) + number
    yield summary(
        "slipway_console_request_seconds",
        "How long the answers took.",
        [(took, counts.get(key, 0), {"method": key[0], "path": key[1]}) for key, took in traffic.seconds().items()],
    )
