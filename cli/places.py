"""Opening what the configuration names, for the verbs that look at it themselves."""

import difflib
import getpass
import os
from collections.abc import Iterable

import click

from cli.session import Session
from config import EnvironmentSettings, Settings
from packageslip import UnsafePath, check_module_url
from sources import Source, open_source
from store import Store
from targets import Target, open_target


def nearest(name: str, known: Iterable[str]) -> str:
    """What to say to somebody who named something that does not exist."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"there are: {', '.join(names)}" if names else "the configuration has none; 'slipway init' writes one"


def environment_of(session: Session, name: str) -> EnvironmentSettings:
    """The settings of an environment. A usage error if there is none of this name."""
    environments = session.settings.environments
    if name not in environments:
        raise click.UsageError(f"there is no environment {name}: {nearest(name, environments)}")
    return environments[name]


def module_url(url: str) -> str:
    """A URL as people type it: a slash at its end is forgiven, all else is checked."""
    plain = url.rstrip("/") or "/"
    try:
        check_module_url(plain)
    except UnsafePath as error:
        raise click.UsageError(str(error)) from error
    return plain


def person() -> str:
    """Who asks, for the record."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def store_of(settings: Settings) -> Store:
    return Store(settings.store.path or settings.state_dir / "store")


def target_of(session: Session, name: str) -> Target:
    """Open a target; it is closed when the verb ends."""
    if name not in session.settings.targets:
        raise click.UsageError(f"there is no target {name}: {nearest(name, session.settings.targets)}")
    target = open_target(name, session.settings, secrets=session.secrets)
    session.keep(target.close)
    return target


def source_of(session: Session, name: str) -> Source:
    """Open a source; it is closed when the verb ends."""

    def opened(target: str) -> Target:
        return target_of(session, target)

    source = open_source(name, session.settings, targets=opened, secrets=session.secrets)
    session.keep(source.close)
    return source
