"""`slipway doctor`: look at everything that Slipway stands on."""

from collections.abc import Callable, Iterable, Iterator

import click
from pydantic import BaseModel

from answers import check_fields
from archives import open_archive, packaging_for
from cli.doctor_console import console_checks
from cli.doctor_machine import disk_checks, unit_checks
from cli.doctor_queue import queue_checks
from cli.exits import Exit
from cli.flags import json_or_lines
from cli.notice import alert_checks, notice_checks
from cli.places import source_of, target_of
from cli.schedule import schedule_faults
from cli.session import Session, in_session
from cli.target import check_words
from config import ConfigError, Secret, SecretError, find_file
from config import check as check_config
from sources import SourceError
from targets import Check, TargetError

HERE = frozenset({"local", "directory", "memory", "target"})
"""Kinds that are on this machine, or ask nobody themselves: they are tried without --online, too."""


@click.command()
@click.option("--online", is_flag=True, help="Also ask every target, source and archive that is not on this machine.")
@json_or_lines
@in_session
def doctor(session: Session, online: bool, as_json: bool) -> Exit:
    """Check configuration, queue, clock, rights, disk, services and all that is configured; say what to do about each fault.

    Targets that are tried get a small file, which goes again. With -q, only what is not well is printed.
    """
    checks = []
    for check in every_check(session, online=online):
        checks.append(check)
        tell(session, check, as_json=as_json)
    failed = [check for check in checks if check.outcome == "failure"]
    if session.options.lines:
        session.document({"count": len(checks), "ok": not failed})
    elif as_json:
        session.document({"checks": [check_fields(check) for check in checks], "ok": not failed})
    return Exit.FAILED if failed else Exit.OK


def tell(session: Session, check: Check, *, as_json: bool) -> None:
    """Each check as soon as it is made: some take a while."""
    if session.options.lines:
        session.event("item", {"check": check_fields(check)})
    elif not as_json and not (session.options.quiet and check.outcome == "ok"):
        session.print(check_words(check))


def every_check(session: Session, *, online: bool) -> Iterator[Check]:
    faults = check_config(session.options.config)
    for fault in faults:
        yield Check("failure", f"configuration: {fault}", "correct it; 'slipway config check' looks again")
    if faults:
        return
    yield Check("ok", f"configuration: {find_file(session.options.config) or 'the defaults'}")
    settings = session.settings
    for fault in schedule_faults(settings, str(find_file(session.options.config))):
        yield Check("failure", f"configuration: {fault}", "correct it; until then this schedule does nothing")
    if not settings.environments:
        yield Check("warning", "configuration: no environment", "'slipway init' writes a commented sample")
    yield from queue_checks(session)
    yield from disk_checks(settings)
    yield from unit_checks()
    yield from console_checks(settings.console)
    yield from place_checks(session, online=online)
    for name in settings.notices:
        yield from guarded(session, f"notice {name}", name, notice_checks)
    for name in settings.alerts:
        yield from guarded(session, f"alert {name}", name, alert_checks)


def place_checks(session: Session, *, online: bool) -> Iterator[Check]:
    """Sources, targets and archives: tried if they are here or may be asked, else as far as that goes without."""
    settings = session.settings
    for name, source in settings.sources.items():
        tried = online or source.kind in HERE
        yield from guarded(session, f"source {name}", name, source_checks if tried else unasked("source", source))
    for name, target in settings.targets.items():
        tried = online or target.kind in HERE
        yield from guarded(session, f"target {name}", name, target_checks if tried else unasked("target", target))
    for name, archive in settings.archives.items():
        yield from guarded(session, f"archive {name}", name, archive_checks if online else unasked("archive", archive))


def guarded(session: Session, what: str, name: str, checks: Callable[[Session, str], Iterable[Check]]) -> Iterator[Check]:
    """The checks, or the one failure that kept them from being made."""
    try:
        yield from checks(session, name)
    except (SourceError, TargetError, SecretError, ConfigError, OSError) as error:
        yield Check("failure", f"{what}: {error}", "correct that and run 'slipway doctor' again")


def unasked(what: str, settings: BaseModel) -> Callable[[Session, str], Iterator[Check]]:
    """What can be said of a place without asking it: whether its secrets can be read."""

    def checks(session: Session, name: str) -> Iterator[Check]:
        for secret in secrets_in(settings):
            session.secrets.read(secret)
        yield Check("ok", f"{what} {name}: configured, its secrets can be read; not asked ('slipway doctor --online' does)")

    return checks


def secrets_in(settings: BaseModel) -> Iterator[Secret]:
    """The secrets of a place, those of its parts too."""
    for _, value in settings:
        if isinstance(value, Secret):
            yield value
        elif isinstance(value, BaseModel):
            yield from secrets_in(value)


def source_checks(session: Session, name: str) -> Iterator[Check]:
    for what, works, remedy in source_of(session, name).check():
        outcome = "failure" if not works else "warning" if remedy else "ok"
        yield Check(outcome, f"source {what if what.startswith(name) else f'{name}: {what}'}", remedy)


def target_checks(session: Session, name: str) -> Iterator[Check]:
    for check in target_of(session, name).probe():
        yield Check(check.outcome, f"target {name}: {check.what}", check.remedy)


def archive_checks(session: Session, name: str) -> Iterator[Check]:
    """Whether it would take what is configured to be retired there. Nothing is deposited."""
    archive = session.settings.archives[name]
    forms = {each.retire.form for each in session.settings.environments.values() if each.retire and each.retire.archive == name}
    packagings = sorted(packaging_for(archive, form) for form in forms)
    for what, works, remedy in open_archive(name, session.settings, session.secrets).check(packagings):
        yield Check("ok" if works else "failure", f"archive {what}", remedy)
