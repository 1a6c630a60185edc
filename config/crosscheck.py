"""What must be true between keys: names that exist, places that differ, times that fit together."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

from config.archive_rules import archive_findings
from config.area_rules import area_findings
from config.console_rules import console_findings
from config.cron import cron_trigger
from config.faults import nearest
from config.layout_rules import layout_findings
from config.notice_check import notice_faults
from config.package_rules import package_findings
from config.places import GroupTarget, HttpSource, LaidOut, LocalTarget, PlacedTarget, S3Target, SftpTarget
from config.section import Secret, Section
from config.settings import EnvironmentSettings, QueueSettings, ScheduleSettings, Settings
from config.signature_rules import signature_findings
from config.snapshot_check import snapshot_faults
from config.validate import Finding, Location

DATABASES = ("mysql+pymysql", "mysql", "mariadb+pymysql", "mariadb", "sqlite+pysqlite", "sqlite")
# The database keeps names in columns of 40 characters, and `:` separates kinds of names there.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
ENVIRONMENT = re.compile(r"[A-Z0-9_]{1,40}")
TARGET_PREFIX = "target:"
PASSWORD = re.compile(r"(^|&)passw(or)?d=")
"""The driver takes one from the query too."""


def crosscheck(settings: Settings) -> Iterator[Finding]:
    """Every contradiction. An empty value is a stand-in for one that was faulty already, and is passed over."""
    yield from _names(settings)
    yield from _queue(settings.queue)
    yield from _back_offs(settings)
    yield from _secrets(settings, ())
    yield from _sources(settings)
    yield from signature_findings(settings)
    yield from _targets(settings)
    for name, archive in settings.archives.items():
        yield from archive_findings(("archives", name), archive)
    yield from package_findings(settings.packages)
    for name, environment in settings.environments.items():
        yield from _environment(("environments", name), environment, settings)
    yield from notice_faults(settings)
    yield from console_findings(settings.console)
    for name, schedule in settings.schedules.items():
        yield from _schedule(("schedules", name), schedule, settings)
    for department, url in settings.departments.items():
        if url and not url.startswith("/"):
            yield Finding(("departments", department), "must be a module's URL, which starts with /")


def _names(settings: Settings) -> Iterator[Finding]:
    for name in settings.environments:
        if not ENVIRONMENT.fullmatch(name):
            meant = name.upper().replace("-", "_")
            rule = "is no environment's name: capital letters, digits and _ only, at most 40"
            yield Finding(("environments", name), rule, meant if ENVIRONMENT.fullmatch(meant) else None)
    codes: dict[int, str] = {}
    for name, environment in settings.environments.items():
        if environment.code is not None and codes.setdefault(environment.code, name) != name:
            yield Finding(("environments", name, "code"), f"is that of {codes[environment.code]} too")
    for section in ("sources", "targets", "schedules", "archives", "notices", "alerts"):
        for name in getattr(settings, section):
            if not NAME.fullmatch(name):
                yield Finding((section, name), "is no name: letters, digits and . _ - only, a letter or digit first, at most 40")


def _queue(queue: QueueSettings) -> Iterator[Finding]:
    if queue.heartbeat + queue.margin >= queue.lease:
        yield Finding(("queue", "lease"), "must be longer than heartbeat and margin together, or engines lose live leases")
    parts = _parts(queue.url or "sqlite:")
    if queue.password is not None and _is_one(queue.password) and parts.scheme.startswith("sqlite"):
        yield Finding(
            ("queue", "password"), "is of no use for SQLite, which knows no accounts: leave it out, or name a server in url"
        )
    if not queue.url:
        return
    if parts.scheme not in DATABASES:
        yield Finding(("queue", "url"), "must start with mysql+pymysql:// or sqlite:///")
    if parts.password is not None or PASSWORD.search(parts.query):
        yield Finding(("queue", "url"), "has a password in it; say where it is in queue.password instead")


def _parts(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # An unfinished IPv6 address: it has no scheme then that anything accepts.
        return urlsplit("")


def _back_offs(settings: Settings) -> Iterator[Finding]:
    if settings.retry.base > settings.retry.cap:
        yield Finding(("retry", "cap"), "must not be less than retry.base")
    if settings.engine.restart_base > settings.engine.restart_cap:
        yield Finding(("engine", "restart_cap"), "must not be less than engine.restart_base")


def _secrets(section: Section, place: Location) -> Iterator[Finding]:
    """Each secret comes from exactly one place."""
    for name, value in section:
        for key, entry in value.items() if isinstance(value, dict) else [(None, value)]:
            here = (*place, name) if key is None else (*place, name, key)
            if isinstance(entry, Secret):
                if not _is_one(entry):
                    yield Finding(here, "needs exactly one of: file, command, credential")
            elif isinstance(entry, Section):
                yield from _secrets(entry, here)


def _is_one(secret: Secret) -> bool:
    return sum(1 for _, source in secret if source) == 1


def _sources(settings: Settings) -> Iterator[Finding]:
    for name, source in settings.sources.items():
        if isinstance(source, HttpSource):
            yield from _http(("sources", name), source)


def _http(place: Location, source: HttpSource) -> Iterator[Finding]:
    parts = _parts(source.url)
    if source.url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        yield Finding((*place, "url"), "must be a URL like https://cms.example.edu")
    if parts.username is not None:
        yield Finding((*place, "url"), "has an account in it; use username and password")
    if source.password is not None and source.username is None:
        yield Finding((*place, "username"), "is missing; there is a password")
    if source.username is not None and source.password is None:
        yield Finding((*place, "password"), "is missing; there is a username")


def _targets(settings: Settings) -> Iterator[Finding]:
    for name, target in settings.targets.items():
        place = ("targets", name)
        if isinstance(target, SftpTarget) and target.known_hosts is None and not target.host_key:
            yield Finding((*place, "known_hosts"), "is missing; without it, or host_key, the server could be anybody's")
        if isinstance(target, SftpTarget) and target.host_key and len(target.host_key.split()) < 2:
            yield Finding((*place, "host_key"), "must be a type and a key, such as ssh-ed25519 AAAA...")
        if isinstance(target, S3Target):
            yield from _bucket(place, target)
        if isinstance(target, LaidOut):
            yield from layout_findings(place, target)
        if isinstance(target, GroupTarget):
            yield from _group(place, target, settings)
    yield from _same_places(settings)


def _bucket(place: Location, target: S3Target) -> Iterator[Finding]:
    if target.secret_key is not None and target.access_key is None:
        yield Finding((*place, "access_key"), "is missing; there is a secret_key")
    if target.access_key is not None and target.secret_key is None:
        yield Finding((*place, "secret_key"), "is missing; there is an access_key")
    if target.endpoint is not None and _parts(target.endpoint).scheme not in {"http", "https"}:
        yield Finding((*place, "endpoint"), "must be a URL like https://s3.example.edu")
    if not target.area.strip("/"):
        yield Finding((*place, "area"), "must not be empty; published files would lie among Slipway's own")
    if target.delete_grace:
        yield Finding(
            (*place, "delete_grace"),
            "is not for a bucket, where an object's removal is not fenced and must not come hours later; leave it out, and "
            "give the cache in front of the bucket a longer time",
        )


def _group(place: Location, group: GroupTarget, settings: Settings) -> Iterator[Finding]:
    for position, member in enumerate(group.members):
        here = (*place, "members", position)
        if isinstance(settings.targets.get(member), GroupTarget):
            yield Finding(here, "is a group itself; name its members instead")
        elif member in group.members[:position]:
            yield Finding(here, "is named twice")
        else:
            yield from _known(here, member, settings.targets, "target")
    if group.quorum is not None and group.quorum > len(group.members):
        yield Finding((*place, "quorum"), f"must not be more than the {len(group.members)} members")


def _same_places(settings: Settings) -> Iterator[Finding]:
    """Two targets with one folder would each take the other's files for strangers'."""
    seen: dict[tuple[str, ...], str] = {}
    for name, target in settings.targets.items():
        if isinstance(target, PlacedTarget) and target.root:
            key, place = "root", _place_of(target)
        elif isinstance(target, S3Target) and target.bucket:
            key, place = "prefix", ("s3", target.endpoint or "", target.bucket, target.prefix.strip("/"))
        else:
            continue
        first = seen.setdefault(place, name)
        if first != name:
            yield Finding(("targets", name, key), f"is the same place as targets.{first}")


def _place_of(target: PlacedTarget) -> tuple[str, ...]:
    root = target.root.rstrip("/") or "/"
    if isinstance(target, SftpTarget):
        # Accounts can be chrooted, so that one path is two places.
        return target.host.lower(), str(target.port), target.user, root
    assert isinstance(target, LocalTarget)
    return ("local", root)


def _environment(place: Location, environment: EnvironmentSettings, settings: Settings) -> Iterator[Finding]:
    yield from _known_source((*place, "source"), environment.source, settings)
    if environment.views is not None:
        yield from _known_source((*place, "views"), environment.views, settings)
    yield from _known((*place, "origin"), environment.origin, settings.targets, "target")
    if environment.origin and environment.source == TARGET_PREFIX + environment.origin:
        yield Finding((*place, "source"), "is the environment's own origin")
    yield from _known_places(place, environment, settings)
    for position, area in enumerate(environment.holding_areas):
        yield from area_findings((*place, "holding_areas", position), area)
        here = (*place, "holding_areas", position, "target")
        yield from _known(here, area.target, settings.targets, "target")
        if area.target and area.target == environment.origin:
            yield Finding(here, "is the environment's own origin")
        if area.target and area.target in {other.target for other in environment.holding_areas[:position]}:
            yield Finding(here, "is a holding area twice; name all its modules in one of them")


def _shares_exports(target: str, exporting: EnvironmentSettings, settings: Settings) -> Iterator[str]:
    """Names of the environments that put other things on the target of these exports."""
    for name, environment in settings.environments.items():
        places = {environment.origin, *(area.target for area in environment.holding_areas)}
        if environment.exports and environment is not exporting:
            places.add(environment.exports.target)
        if target and target in places:
            yield name


def _known_places(place: Location, environment: EnvironmentSettings, settings: Settings) -> Iterator[Finding]:
    """Everything beside source, origin and holding areas that an environment names."""
    for position, name in enumerate(environment.notices):
        yield from _known((*place, "notices", position), name, settings.notices, "notice")
    if environment.exports:
        yield from _known((*place, "exports", "target"), environment.exports.target, settings.targets, "target")
        if users := sorted(_shares_exports(environment.exports.target, environment, settings)):
            # An export is a module at the course's own URL: on a shared target each would take the other away.
            words = f"is the place of something else of {' and '.join(users)}; exports need a target of their own"
            yield Finding((*place, "exports", "target"), words)
    if environment.snapshot and environment.snapshot.zips:
        yield from _known((*place, "snapshot", "zips"), environment.snapshot.zips, settings.targets, "target")
    yield from snapshot_faults(place, environment)
    if environment.retire:
        yield from _known((*place, "retire", "archive"), environment.retire.archive, settings.archives, "archive")
    if environment.site is not None and _parts(environment.site).scheme not in {"http", "https"}:
        yield Finding((*place, "site"), "must be a URL like https://www.example.edu")
    needed = {"RETIRE": "retire", "SNAPSHOT": "snapshot"}.get(environment.default_action)
    if needed and getattr(environment, needed) is None:
        yield Finding((*place, needed), f"is missing; the environment's default action {environment.default_action} needs it")


def _known_source(place: Location, name: str, settings: Settings) -> Iterator[Finding]:
    if name.startswith(TARGET_PREFIX):
        yield from _known(place, name.removeprefix(TARGET_PREFIX), settings.targets, "target", TARGET_PREFIX)
    elif name in settings.targets and name not in settings.sources:
        yield Finding(place, "names a target, not a source", TARGET_PREFIX + name)
    else:
        yield from _known(place, name, settings.sources, "source")


def _known(place: Location, name: str, names: Iterable[str], what: str, prefix: str = "") -> Iterator[Finding]:
    if name and name not in names:
        meant = nearest(name, names)
        yield Finding(place, f"names no {what} of this configuration", prefix + meant if meant else None)


def _schedule(place: Location, schedule: ScheduleSettings, settings: Settings) -> Iterator[Finding]:
    yield from _known((*place, "environment"), schedule.environment, settings.environments, "environment")
    if not schedule.url.startswith("/"):
        yield Finding((*place, "url"), "must be a module's URL, which starts with /")
    try:
        cron_trigger("* * * * *", schedule.timezone)
    except ValueError as error:
        yield Finding((*place, "timezone"), str(error))
        schedule = schedule.model_copy(update={"timezone": "UTC"})
    try:
        trigger = cron_trigger(schedule.cron, schedule.timezone) if schedule.cron else None
    except ValueError as error:
        yield Finding((*place, "cron"), str(error))
    else:
        if trigger is not None and trigger.get_next_fire_time(None, datetime.now(UTC)) is None:
            yield Finding((*place, "cron"), "never comes: there is no such day")
