"""`python -P -m engines ENVIRONMENT`: an engine by hand, from cron, or started by the daemon.

Old scripts name an environment by a number: its `code` in the configuration. That is a numbering of its own: the numbers that
the procedure `schedule_implicit_module` takes are others.

Exit codes: 0 idle or stopped, 1 a fault of the program, 4 the configuration or the schema must be corrected,
8 the database does not answer, 75 the lease was lost.
"""

import argparse
import gc
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
        name, code = _environment(settings, wanted.environment)
    except ConfigError as error:
        print(f"engines: {error}", file=sys.stderr)
        return CONFIGURATION
    secrets = Secrets()
    configure_logging(settings.log, sys.stderr, secrets)
    if code is not None:
        log.info("engine code stands for an environment", code=code, environment=name)
    stop, harder = Event(), Event()
    _listen(stop, harder)
    # What was read until now stays, and is looked through for cycles no more.
    gc.freeze()
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
    parser.add_argument("environment", help="its name in the configuration, such as STAGING, or the number that is its code")
    parser.add_argument("--config", type=Path, help="the configuration file")
    parser.add_argument("--until-idle", action="store_true", help="end as soon as nothing is left to do, for cron")
    parser.add_argument("--bell", type=int, metavar="FD", help="the daemon's pipe")
    return parser


def _environment(settings: Settings, given: str) -> tuple[str, int | None]:
    """The environment as the configuration spells it, and the code by which it was named, if it was."""
    names = {known.casefold(): known for known in settings.environments}
    if given.casefold() in names:
        return names[given.casefold()], None
    codes = {environment.code: name for name, environment in settings.environments.items() if environment.code is not None}
    if given.isascii() and given.isdigit():
        if int(given) in codes:
            return codes[int(given)], int(given)
        known = ", ".join(f"{code} is {codes[code]}" for code in sorted(codes)) or "none has one"
        message = f"no environment has the code {given}: in the configuration (environments.NAME.code), {known}"
    else:
        known = ", ".join(sorted(settings.environments)) or "none"
        message = f"there is no environment {given}; the configuration has {known}"
    raise ConfigError([ConfigFault("command line", "", message)])


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
