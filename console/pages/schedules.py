"""What comes back by the clock, and having it now."""

from datetime import UTC, datetime

from starlette.responses import Response

from answers import run_schedule, schedules
from console.asked import Asked
from console.errors import NotThere


def show(asked: Asked) -> Response:
    return asked.page("schedules.html", schedules=schedules(asked.database, asked.settings, datetime.now(UTC)))


def run(asked: Asked) -> Response:
    """Insert its row now; the clock goes on as if nothing had happened."""
    name = asked.given("name")
    if name not in asked.settings.schedules:
        raise NotThere(f"There is no schedule {name[:64]}.")
    task = run_schedule(asked.database, asked.settings, name, asked.someone.name, asked.given("note") or None)
    return asked.done(f"/task/{task}", f"Schedule {name} was run: this is its task.")
