"""What `doctor` says of the web console: who may sign in, and whether it answers."""

import http.client
from collections.abc import Iterator
from pathlib import Path

from answers import many
from config import ConsoleSettings, place_of_console
from console import ConsoleRefused, Role, read_accounts
from targets import Check

PATIENCE = 12.0
"""Seconds for an answer: it waits up to ten for a database that is away."""


def console_checks(settings: ConsoleSettings) -> Iterator[Check]:
    """Nothing is wrong where none is meant to run."""
    if not settings.start and settings.passwords is None and settings.proxy.user_header is None:
        yield Check("ok", "console: none is configured; 'slipway console' starts one for a local try")
        return
    if settings.passwords is not None:
        yield password_check(settings.passwords)
    yield answer_check(settings)


def password_check(file: Path) -> Check:
    """Who may sign in, by the password file."""
    try:
        accounts = read_accounts(file).values()
    except ConsoleRefused as error:
        if isinstance(error.__cause__, PermissionError):
            return Check("warning", f"console: this account may not read {file}", "ask again as the console's own account")
        return Check("failure", str(error), "correct the file; the console does not start with it")
    approvers = sum(1 for each in accounts if each.role is Role.APPROVER)
    said = f"console: {many(len(accounts), 'person', 'people')} may sign in, {many(approvers, 'approver')}"
    remedy = "" if approvers else "'slipway console password NAME --role approver --write': nobody could let a held task go on"
    return Check("ok" if approvers else "warning", said, remedy)


def answer_check(settings: ConsoleSettings) -> Check:
    """Whether it answers where it should, and is ready."""
    host, port = place_of_console(settings.bind)
    asked = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        asked.request("GET", f"{settings.prefix}/readyz")
        answer = asked.getresponse()
        text = answer.read(500).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException) as error:
        remedy = "the daemon starts it ('slipway run')" if settings.start else "'systemctl start slipway-console' starts it"
        return Check("warning", f"console: nobody answers at {settings.bind}: {error}", remedy)
    finally:
        asked.close()
    if answer.status == http.HTTPStatus.OK:
        return Check("ok", f"console: ready at {settings.bind}")
    return Check(
        "warning", f"console: at {settings.bind}, {text} ({answer.status})", "its log says more: journalctl -u slipway-console"
    )
