"""`python -P -m console`: the console as a child of the daemon. By hand it is `slipway console`."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

import structlog

from config import ConfigError, SecretError, Secrets, configure_logging, load, queue_url
from console import ConsoleRefused, greeting, listen, open_console, serve
from database import Database, DatabaseError

log = structlog.get_logger("console")

EXIT_FAILED, EXIT_CONFIGURATION = 1, 4


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m console", description="The web console, as the daemon starts it.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration that the daemon works with")
    parser.add_argument("--bell", type=int, required=True, help="a pipe; it ends with the daemon, and so does the console")
    arguments = parser.parse_args()
    secrets = Secrets()
    try:
        settings = load(arguments.config)
        configure_logging(settings.log, sys.stderr, secrets)
        password = secrets.read(settings.queue.password) if settings.queue.password is not None else None
        with closing(Database.connect(queue_url(settings), password)) as database:
            console = open_console(settings, secrets, database)
            channel = listen(settings.console.bind)
            for line in greeting(console, channel.getsockname()[1]):
                print(f"slipway: {line}", file=sys.stderr, flush=True)
            serve(console, channel, lambda: log.info("console answers", bind=settings.console.bind), arguments.bell)
    except (ConfigError, SecretError, ConsoleRefused) as error:
        log.critical("console cannot work", reason=str(error))
        return EXIT_CONFIGURATION
    except DatabaseError as error:
        log.critical("console cannot work", reason=str(error))
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
