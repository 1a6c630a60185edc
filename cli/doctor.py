"""`slipway doctor`: look at everything that Slipway stands on."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from answers import check_fields
from archives import open_archive, packaging_for
from cli.exits import Exit
from cli.flags import AS_JSON
from cli.notice import alert_checks, notice_checks
from cli.places import source_of, store_of, target_of
from cli.schedule import schedule_faults
from cli.session import Session, in_session, open_database
from cli.target import check_words
from config import ConfigError, SecretError, Settings, find_file
from config import check as check_config
from database import DatabaseError, QueueRestored, Restoration
from sources import SourceError
from targets import Check, TargetError

SPACE = 1_000_000_000
"""Bytes free under which a warning is due: a large course has more than this."""


@click.command()
@AS_JSON
@in_session
def doctor(session: Session, as_json: bool) -> Exit:
    """Check configuration, queue, disk, store and everything that is configured; say what to do about each fault."""
    checks = []
    for check in every_check(session):
        checks.append(check)
        if not as_json:
            session.print(check_words(check))
    failed = [check for check in checks if check.outcome == "failure"]
    if as_json:
        session.document({"checks": [check_fields(check) for check in checks], "ok": not failed})
    return Exit.FAILED if failed else Exit.OK


def every_check(session: Session) -> Iterator[Check]:
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
    for name in settings.sources:
        yield from guarded(session, f"source {name}", name, source_checks)
    for name in settings.targets:
        yield from guarded(session, f"target {name}", name, target_checks)
    for name in settings.archives:
        yield from guarded(session, f"archive {name}", name, archive_checks)
    for name in settings.notices:
        yield from guarded(session, f"notice {name}", name, notice_checks)
    for name in settings.alerts:
        yield from guarded(session, f"alert {name}", name, alert_checks)


def guarded(session: Session, what: str, name: str, checks: Callable[[Session, str], Iterable[Check]]) -> Iterator[Check]:
    """The checks, or the one failure that kept them from being made."""
    try:
        yield from checks(session, name)
    except (SourceError, TargetError, SecretError, ConfigError, OSError) as error:
        yield Check("failure", f"{what}: {error}", "correct that and run 'slipway doctor' again")


def queue_checks(session: Session) -> Iterator[Check]:
    try:
        database = open_database(session.settings, session.secrets)
    except SecretError as error:
        yield Check("failure", f"queue: {error}", "make the secret readable for this account")
        return
    except DatabaseError as error:
        yield Check("failure", f"queue: {error}", "'slipway db upgrade' makes the schema; is the server up?")
        return
    yield Check("ok", f"queue: {database.dialect}, schema as needed, id {database.queue_id}")
    try:
        Restoration(database).check()
    except QueueRestored as error:
        yield Check("failure", f"queue: {error}", "look first, then let it go on")
    database.close()


def disk_checks(settings: Settings) -> Iterator[Check]:
    store = store_of(settings).root
    for what, folder in (("state directory", settings.state_dir), ("content store", store)):
        yield writable(what, folder)
    there = next((folder for folder in (store, *store.parents) if folder.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    remedy = "'slipway store gc' frees what is not needed" if free < SPACE else ""
    yield Check("warning" if remedy else "ok", f"disk: {free / 1e9:.1f} GB free for the content store", remedy)


def writable(what: str, folder: Path) -> Check:
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    if os.access(there, os.W_OK | os.X_OK):
        return Check("ok", f"{what}: {folder}" + ("" if folder.exists() else ", made on first use"))
    return Check("failure", f"{what}: {folder} cannot be written by this account", f"give it {there}, or set state_dir")


def source_checks(session: Session, name: str) -> Iterator[Check]:
    for what, works, remedy in source_of(session, name).check():
        yield Check("ok" if works else "failure", f"source {what if what.startswith(name) else f'{name}: {what}'}", remedy)


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
