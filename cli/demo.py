"""`slipway demo`: the main job on the sample site, by the real daemon and its engines, in a folder of its own."""

import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from answers import many, size, totals
from cli.exits import Exit, together
from cli.flags import FILE
from cli.follow import PAUSE, Ended, follow, moves
from cli.main import Options
from cli.session import Failure, Session, in_session
from database import OPEN_STATES, Action, Desk, NewTask, Record
from demo import TARGETS, Daemon, Place, prepare, running_daemon
from packageslip import Packageslip, diff_slips

STAGES = ("STAGING", "PRODUCTION")
LISTED = 20
"""Changed files that the report names before it only counts them."""

Slips = Mapping[tuple[str, str], Packageslip | None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What came of publishing everything to one environment."""

    environment: str
    tasks: tuple[Ended, ...]
    seconds: float


@click.command()
@click.option(
    "--dir", "folder", type=FILE, default=Path(".demo"), show_default=True, help="Where to play; nothing else is touched."
)
@in_session
def demo(session: Session, folder: Path) -> Exit:
    """Run the main job on a sample site: to STAGING and a holding area, from there to PRODUCTION.

    The real daemon does it, on an embedded queue, with directories as CMS and as targets. Run it again: nothing has to move.
    Change something in the folder `cms` and run it again: only that moves.
    """
    place = prepare(folder)
    # Variables that belong to a real installation must not lead the demo to its queue or its targets.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
    options = Options(place.config, session.options.verbosity, session.options.quiet)
    with alone(place), Session(options, environ) as own:
        before = slips_of(own, place)
        session.say(f"the CMS is {shown(place.cms)}, with {many(len(place.modules()), 'module')}")
        with running_daemon(place.config, place.log, environ) as daemon:
            stages = [publish_all(own, place, daemon, environment) for environment in STAGES]
        report(own, place, stages, before)
        return verdict(session, place, stages)


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Two demos in one folder would report on each other's work."""
    with (place.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failure(f"another demo is at work in {place.folder}", Exit.LOCKED) from error
        yield


def publish_all(session: Session, place: Place, daemon: Daemon, environment: str) -> Stage:
    """Insert a row for each module, as an operator would, and wait until everything that follows from them is done."""
    desk, began = Desk(session.database), time.monotonic()
    rows = [NewTask(url, environment, Action.PUBLISH, requested_by="slipway demo") for url in place.modules()]
    ids = list(desk.insert_many(rows))
    follow(session, ids, alive=daemon.check)
    # Deliveries to the holding area and dependents are tasks of their own, inserted when a task finished.
    while desk.find(states=OPEN_STATES - {"HELD"}, limit=1):
        daemon.check()
        time.sleep(PAUSE)
    tasks = [desk.show(task.id) for task in desk.find(limit=1000) if task.id >= ids[0] and task.state != "SUPERSEDED"]
    stage = Stage(environment, tuple(map(Ended.of, tasks)), time.monotonic() - began)
    session.say(f"{environment}: {many(len(stage.tasks), 'task')} in {stage.seconds:.1f} s")
    for target in TARGETS:
        mine = [ended.summary for ended in stage.tasks if ended.task.target == target]
        if mine:
            session.say(f"  {target}: {moves(totals(mine))}")
    return stage


def slips_of(session: Session, place: Place) -> Slips:
    """The slip of every module on every target."""
    record = Record(session.database)
    return {(target, url): record.slip(target, url) for target in TARGETS for url in place.modules()}


def report(session: Session, place: Place, stages: list[Stage], before: Slips) -> None:
    """What is published where now, what changed, and what to try next."""
    after = slips_of(session, place)
    session.print("Published:")
    for target in TARGETS:
        modules = sum(1 for (name, _), slip in after.items() if name == target and slip)
        tree = place.tree(target)
        counts = f"{many(modules, 'module'):>10}  {many(tree.files, 'file'):>9}  {size(tree.bytes):>9}"
        session.print(f"  {target:10}  {counts}  {shown(place.target(target))}")
    changes = list(changed(before, after))
    if any(before.values()):
        session.print("Since the run before:" if changes else "Nothing had to move: every target held what its slips say.")
        for line in changes[:LISTED]:
            session.print(f"  {line}")
        if len(changes) > LISTED:
            session.print(f"  and {len(changes) - LISTED} more")
    if all(ended.code is Exit.OK for stage in stages for ended in stage.tasks):
        try_next(session, place)


def changed(before: Slips, after: Slips) -> Iterator[str]:
    """One line for each file that is other than it was."""
    for (target, url), new in after.items():
        old = before.get((target, url))
        if old is None or new is None:
            if old is not new:
                yield f"{target}: {url} {'went' if new is None else 'is new'}"
            continue
        difference = diff_slips(old, new)
        for word in ("added", "changed", "removed"):
            yield from (f"{target}: {url.rstrip('/')}/{path} {word}" for path in getattr(difference, word))
        yield from (f"{target}: {url.rstrip('/')}/{old} is now {new}" for old, new in difference.renamed)


def try_next(session: Session, place: Place) -> None:
    """Commands that work as they stand, from this folder."""
    command = f"{program()} -c {shown(place.config)}"
    course = "/courses/seamanship/s-02-knots-fall-2024"
    page = shown(place.cms / course[1:] / "index.html")
    again = f"{program()} demo" + ("" if place.folder == Path(".demo").resolve() else f" --dir {shown(place.folder)}")
    session.print("Try next:")
    for line in (
        f"python3 -m http.server -d {shown(place.target('production'))} 8000",
        f"{command} console",
        f"{command} why {course}",
        f"{command} queue list --all",
        f"echo '<!-- new -->' >> {page}",
        f"{command} publish {course} --to STAGING --now",
        f"{command} plan {course} --to PRODUCTION",
        f"{again}",
    ):
        session.print(f"  {line}")


def program() -> str:
    """How to call this command again from here."""
    found = shutil.which("slipway")
    called = Path(sys.argv[0]).absolute()
    return "slipway" if found and Path(found).samefile(called) else shown(called)


def shown(path: Path) -> str:
    """A path as a person would type it here."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def verdict(session: Session, place: Place, stages: list[Stage]) -> Exit:
    """Say what failed, with its reason."""
    bad = [ended for stage in stages for ended in stage.tasks if ended.code is not Exit.OK]
    for ended in bad:
        session.say(f"{ended.task.environment} {ended.task.url}: {ended.task.state}, {ended.task.reason}")
    if bad:
        session.say(f"the daemon's log is {shown(place.log)}")
    return together([ended.code for stage in stages for ended in stage.tasks])
