"""`python -P -m engines ENVIRONMENT`: an engine by hand, from cron, or started by the daemon.

Exit codes: 0 idle or stopped, 1 a fault of the program, 4 the configuration or the schema must be corrected,
8 the database does not answer, 75 the lease was lost.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from types import FrameType

import structlog

from config import ConfigError, ConfigFault, SecretError, Secrets, Settings, configure_logging, load
from database import DatabaseError, DatabaseUnavailable
from engines.engine import run_engine
from engines.workshop import Seams

log = structlog.get_logger(__name__)

CRASHED, CONFIGURATION, UNAVAILABLE = 1, 4, 8


def main(arguments: Sequence[str] | None = None, seams: Seams | None = None) -> int:
    """Run one engine; the exit code."""
    wanted = _parser().parse_args(arguments)
    try:
        settings = load(wanted.config)
        name = _environment(settings, wanted.environment)
    except ConfigError as error:
        print(f"engines: {error}", file=sys.stderr)
        return CONFIGURATION
    secrets = Secrets()
    configure_logging(settings.log, sys.stderr, secrets)
    stop, harder = Event(), Event()
    _listen(stop, harder)
    try:
        return run_engine(
            settings, name, until_idle=wanted.until_idle, stop=stop, harder=harder, bell=wanted.bell, secrets=secrets, seams=seams
        )
    except DatabaseUnavailable as error:
        log.critical("database unavailable", reason=str(error))
        return UNAVAILABLE
    except (DatabaseError, SecretError) as error:
        log.critical("engine cannot start", reason=str(error))
        return CONFIGURATION
    except Exception:
        log.exception("engine crashed")
        return CRASHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="engines", description="Execute the tasks of one environment.")
    parser.add_argument("environment", help="its name in the configuration, such as STAGING")
    parser.add_argument("--config", type=Path, help="the configuration file")
    parser.add_argument("--until-idle", action="store_true", help="end as soon as nothing is left to do, for cron")
    parser.add_argument("--bell", type=int, metavar="FD", help="the daemon's pipe")
    return parser


def _environment(settings: Settings, name: str) -> str:
    """The environment as the configuration spells it."""
    found = {known.casefold(): known for known in settings.environments}.get(name.casefold())
    if found is None:
        known = ", ".join(sorted(settings.environments)) or "none"
        raise ConfigError([ConfigFault("command line", "", f"there is no environment {name}; the configuration has {known}")])
    return found


def _listen(stop: Event, harder: Event) -> None:
    """The first SIGTERM or SIGINT drains, the second asks for running tasks at once."""

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            harder.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)


if __name__ == "__main__":
    sys.exit(main())
