"""What goes on, in each environment."""

from starlette.responses import Response

from console.asked import Asked
from database import Desk


def show(asked: Asked) -> Response:
    desk = Desk(asked.database)
    return asked.page("overview.html", environments=asked.settings.environments, paused=desk.paused())
