"""The web console: the operators' pages, the JSON API, metrics and health.

Starlette, uvicorn and Jinja are used here and nowhere else. Everything that is shown comes from `answers` and `database`.
"""

import config  # noqa: F401 - first of all: see config.lean
from console.app import application
from console.asked import Console
from console.errors import ConsoleRefused
from console.passwords import keep_line, line_of, read_accounts
from console.people import Role, role_of
from console.serving import greeting, listen, open_console, serve

__all__ = [
    "Console",
    "ConsoleRefused",
    "Role",
    "application",
    "greeting",
    "keep_line",
    "line_of",
    "listen",
    "open_console",
    "read_accounts",
    "role_of",
    "serve",
]
