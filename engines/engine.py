"""One engine from start to end: registered, kept alive, run, and gone again."""

import os
from contextlib import closing, suppress
from importlib.metadata import PackageNotFoundError, version
from threading import Event

import structlog

from config import Secrets, Settings, began_at, queue_url, this_host
from database import Database, DatabaseUnavailable, Engine, Intake, Leases, Restoration, Takeover
from engines.bell import Bell
from engines.lease import Heartbeat, Lease
from engines.loop import LEASE_LOST, Loop
from engines.outlook import Outlook
from engines.workshop import Seams, Workshop

log = structlog.get_logger(__name__)


def run_engine(
    settings: Settings,
    environment: str,
    *,
    until_idle: bool,
    stop: Event,
    bell: int | None = None,
    harder: Event | None = None,
    secrets: Secrets | None = None,
    seams: Seams | None = None,
) -> int:
    """Execute tasks of one environment. 0: idle, lingered or stopped; 75: the lease was lost, everything was let go.

    `stop` drains: running tasks get `engine.stop_grace` seconds; `harder` asks for them back at once. `bell`: the reading
    end of the daemon's pipe; without it the engine polls. Raises DatabaseUnavailable, SchemaMismatch, QueueRestored, SecretError
    at the start, KeyError for an environment that is not configured.
    """
    secrets = secrets or Secrets()
    configured = settings.environments[environment]
    with (
        closing(connect(settings, secrets)) as database,
        closing(connect(settings, secrets)) as pulse,
        closing(Bell(bell)) as waker,
    ):
        database.check_schema()
        Restoration(database).check()
        leases = Leases(database)
        takeover = Takeover(leases, settings.queue.lease)
        # What a killed engine held would wait for its lease to end, although everybody here can see that it is dead.
        takeover.bury()
        lease = Lease(settings.queue)
        sent = lease.clock()
        engine = _register(leases, environment, settings.queue.lease)
        lease.renewed(sent)
        workshop = Workshop(settings, configured, secrets, database, engine, lease, seams or Seams())
        outlook = Outlook(settings, environment, Intake(database), takeover, waker, lease.clock, until_idle=until_idle)
        loop = Loop(workshop, outlook, waker, stop=stop.is_set, harder=harder.is_set if harder else lambda: False)
        heartbeat = Heartbeat(Leases(pulse), Restoration(pulse), engine, lease, settings.queue, waker.ring)
        heartbeat.start()
        log.info("engine started", engine=engine.start, environment=environment, pid=engine.pid)
        return _run(loop, heartbeat, workshop)


def _run(loop: Loop, heartbeat: Heartbeat, workshop: Workshop) -> int:
    code = LEASE_LOST
    try:
        code = loop.run()
    finally:
        # Whatever still runs must stop at its next check, before its tasks are returned to others.
        heartbeat.stop()
        workshop.lease.lose()
        if code != LEASE_LOST:
            with suppress(DatabaseUnavailable):
                workshop.leases.leave(workshop.engine)
        loop.close()
        workshop.sources.close()
        workshop.web.close()
        log.info("engine ended", engine=workshop.engine.start, code=code)
    return code


def connect(settings: Settings, secrets: Secrets) -> Database:
    """The queue's database. Raises SecretError, DatabaseError."""
    password = secrets.read(settings.queue.password) if settings.queue.password else None
    return Database.connect(queue_url(settings), password)


def _register(leases: Leases, environment: str, ttl: float) -> Engine:
    host, boot = this_host()
    return leases.register(environment, host, boot, os.getpid(), ttl, installed(), began=began_at(os.getpid()) or 0)


def installed() -> str:
    """The version of the installed program."""
    try:
        return version("slipway")
    except PackageNotFoundError:
        return "unknown"
