"""Where the configuration is, and where state goes when it does not say."""

import os
from collections.abc import Mapping
from pathlib import Path

from config.settings import Settings

SYSTEM_FILE = Path("/etc/slipway/config.toml")
SYSTEM_STATE = Path("/var/lib/slipway")


def candidates(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The files that are looked for, in order; only the first that exists is read."""
    return (_base(environ, "XDG_CONFIG_HOME", ".config") / "slipway" / "config.toml", SYSTEM_FILE)


def find_file(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The configuration file: `path` if given (whether it exists or not), else the first candidate that exists, else None."""
    if path is not None:
        return path
    places = candidates(os.environ if environ is None else environ)
    return next((place for place in places if place.is_file()), None)


def state_dir(environ: Mapping[str, str], *, root: bool | None = None) -> Path:
    """The folder for state when no setting names one.

    systemd's StateDirectory= first, then $XDG_STATE_HOME; without either, /var/lib for root and the XDG default for anybody else.
    """
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if (os.geteuid() == 0 if root is None else root) and not environ.get("XDG_STATE_HOME"):
        return SYSTEM_STATE
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "slipway"


def queue_url(settings: Settings) -> str:
    """The SQLAlchemy URL of the queue, without a password; SQLite in the state directory unless configured."""
    return settings.queue.url or f"sqlite:///{settings.state_dir / 'queue.db'}"


def _base(environ: Mapping[str, str], variable: str, default: str) -> Path:
    given = environ.get(variable, "")
    # The XDG specification: a relative path there is invalid and ignored.
    return Path(given) if given.startswith("/") else Path(environ.get("HOME") or Path.home()) / default
