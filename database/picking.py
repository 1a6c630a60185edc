"""What a claim takes: the candidates' rows as queries find them, and the choice among them, which is pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, and_, bindparam, exists, or_, select
from sqlalchemy.sql.expression import FromClause

from database import schema
from database.actions import NOTICE, SOURCELESS, Action

FLOOD = 1000
"""Siblings read at once. A module with more of them is worked off over several claims."""

KNOWN = sorted(Action)
_BEHIND_NOTICES = NOTICE.rstrip(":") + ";"
"""Sorts behind every notice's target: a range is read along an index on every kind of database, a pattern is not."""
OPEN = ("NEW", "READY", "RUNNING", "HELD")


# Made once: an alias copies every column, and a claim would make five.
TASK, SIBLING, _RUNNER, _BEFORE, _MAKER, _OTHER = (schema.queue.alias(name) for name in "tsrbmo")


class Among(Enum):
    """Which tasks a claim looks at, by what the module's newest task asks for."""

    ALL = "all"
    NEEDING = "what needs the lane's needs"
    SOURCELESS = "what does without them"
    URGENT = "takedowns"
    TELLING = "words about takedowns"


@dataclass(frozen=True, slots=True)
class Choice:
    """One module to take: the task to run, and the older ones that it makes superfluous. `runs` is False in a flood."""

    winner: int
    absorbed: tuple[int, ...] = ()
    lost_before: bool = False
    since: datetime | None = None
    runs: bool = True
    sourceless: bool = False


@dataclass(slots=True)
class _Module:
    due: list[Row[Any]] = field(default_factory=list)
    later: list[Row[Any]] = field(default_factory=list)


def find_candidates(
    connection: Connection, environment: str, target: str, limit: int, among: Among = Among.ALL
) -> Sequence[Row[Any]]:
    """What could be claimed now on a target, best first, and whether it is `alone`: a plain read, one look along an index."""
    given = {"environment": environment, "target": target, "limit": limit}
    return connection.execute(candidates(among), given).all()


@cache
def candidates(among: Among = Among.ALL) -> Select[Any]:
    """The statement, which takes longer to put together than to carry out; a test asks the server that it sorts nothing."""
    task, runner = TASK, _RUNNER
    busy = exists().where(runner.c.running_target == task.c.target, runner.c.url == task.c.url)
    return (
        select(*_columns(task), _alone(task).label("alone"))
        .with_hint(task, "FORCE INDEX (k_pick)", "mysql")
        .where(
            task.c.status == "READY",
            task.c.environment == bindparam("environment"),
            task.c.target == bindparam("target"),
            task.c.hold == 0,
            task.c.run_after <= schema.NOW,
            task.c.cancel_requested == 0,
            ~busy,
            _known(task),
            not_waiting(task),
            *_among(task, among),
        )
        .order_by(task.c.priority, task.c.id)
        .limit(bindparam("limit", type_=Integer))
    )


def _alone(task: FromClause) -> ColumnElement[bool]:
    """Whether no other row of its module waits on its target: nearly always, and then there are no siblings to ask for."""
    other = _OTHER
    hinted = select(1).select_from(other).with_hint(other, "FORCE INDEX (k_module)", "mysql")
    same = other.c.target == task.c.target, other.c.url == task.c.url, other.c.status == "READY"
    return ~hinted.where(*same, other.c.id != task.c.id).correlate(task).exists()


def _known(task: FromClause) -> ColumnElement[bool]:
    """What a newer program asks for is left to its engines."""
    return task.c.action.in_(KNOWN)


def _among(task: FromClause, among: Among) -> tuple[ColumnElement[bool], ...]:
    """Rows whose module would go to a task of the other sort are left out: they would fill the limit and give nothing."""
    if among is Among.URGENT:
        return (task.c.action == Action.TAKEDOWN,)
    if among is Among.TELLING:
        return (tells_of_takedown(task),)
    # A lane of its own has those, so that a busy target's workers do not keep them waiting.
    others = task.c.action != Action.TAKEDOWN
    if among is Among.ALL:
        return (others,)
    newer = SIBLING
    mine, other = task.c.action.in_(sorted(SOURCELESS)), newer.c.action.not_in(sorted(SOURCELESS))
    if among is Among.NEEDING:
        mine, other = ~mine, ~other
    # Along the URL alone the server would read all that ever happened to the module.
    hinted = select(1).select_from(newer).with_hint(newer, "FORCE INDEX (k_module)", "mysql")
    return others, mine, or_(task.c.absorbs == 0, ~hinted.where(*replaces(newer, task), other).correlate(task).exists())


def find_siblings(connection: Connection, environment: str, target: str, urls: Sequence[str]) -> Sequence[Row[Any]]:
    """Every READY task that takes part in these modules' order, oldest first; at most FLOOD."""
    given = {"environment": environment, "target": target, "urls": urls, "flood": FLOOD}
    return connection.execute(_siblings(), given).all()


@cache
def _siblings() -> Select[Any]:
    task = TASK
    modules = task.c.target == bindparam("target"), task.c.url.in_(bindparam("urls", expanding=True))
    return (
        select(*_columns(task), (task.c.run_after <= schema.NOW).label("due"))
        .with_hint(task, "FORCE INDEX (k_module)", "mysql")
        .where(*modules, task.c.status == "READY", task.c.environment == bindparam("environment"))
        .where(takes_part(task), _known(task))
        .order_by(task.c.url, task.c.id)
        .limit(bindparam("flood", type_=Integer))
    )


def replaces(newer: FromClause, task: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Whether a row is a newer one of the task's module that could run now."""
    return (
        newer.c.target == task.c.target,
        newer.c.url == task.c.url,
        newer.c.status == "READY",
        newer.c.id > task.c.id,
        newer.c.environment == task.c.environment,
        newer.c.absorbs == 1,
        newer.c.hold == 0,
        newer.c.cancel_requested == 0,
        newer.c.run_after <= schema.NOW,
        not_waiting(newer),
    )


def takes_part(task: FromClause) -> ColumnElement[bool]:
    """Whether a READY row absorbs or is absorbed: only what could run now, and retries, which can only be absorbed."""
    return and_(
        task.c.absorbs == 1,
        task.c.hold == 0,
        task.c.cancel_requested == 0,
        or_(task.c.run_after <= schema.NOW, task.c.attempts > 0),
        not_waiting(task),
    )


def not_waiting(task: FromClause) -> ColumnElement[bool]:
    """A dependent waits for the earlier generations of its batch on its target; a sick holding area delays nobody else."""
    before = _BEFORE
    open_before = exists().where(
        before.c.batch == task.c.batch,
        before.c.generation < task.c.generation,
        before.c.status.in_(OPEN),
        or_(before.c.target == task.c.target, before.c.target.is_(None)),
    )
    return or_(task.c.generation == 0, ~open_before)


def tells_of_takedown(task: FromClause) -> ColumnElement[bool]:
    """Whether a row tells a cache or somebody else that a module was taken down: the task that made it says so."""
    maker = _MAKER
    made = exists().where(maker.c.id == task.c.parent, maker.c.action == Action.TAKEDOWN).correlate(task)
    return and_(task.c.action == Action.NOTIFY, task.c.target.between(NOTICE, _BEHIND_NOTICES), made)


def choose(found: Sequence[Row[Any]], siblings: Sequence[Row[Any]], among: Among = Among.ALL) -> list[Choice]:
    """One choice for each module, in the order of the candidates: the newest of those that are due, absorbing all older ones.

    A newest one that the lane cannot run now leaves its module alone. `siblings`: of those that are not alone.
    """
    modules = _by_module(siblings)
    flooded = siblings[-1].url if len(siblings) >= FLOOD else None
    choices: dict[str, Choice] = {}
    for row in found:
        if row.url in choices:
            continue
        if row.alone or not row.absorbs:
            choices[row.url] = _choice(row)
        elif row.url in modules and modules[row.url].due:
            choices[row.url] = _newest(modules[row.url], runs=row.url != flooded)
    return [choice for choice in choices.values() if _fits(choice, among)]


def _fits(choice: Choice, among: Among) -> bool:
    # Siblings are read after the candidates: a newer one may have come between. What only supersedes needs nothing.
    return (
        among in {Among.ALL, Among.URGENT, Among.TELLING} or not choice.runs or choice.sourceless == (among is Among.SOURCELESS)
    )


def split(choices: Iterable[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Those without a loss, and those whose engine died over them before, which must run alone."""
    clean: list[Choice] = []
    suspect: list[Choice] = []
    for choice in choices:
        (suspect if choice.lost_before else clean).append(choice)
    return clean, suspect


def _newest(module: _Module, *, runs: bool) -> Choice:
    winner = module.due[-1]
    older = tuple(row.id for row in (*module.due, *module.later) if row.id < winner.id)
    return _choice(winner, older, runs=runs)


def _choice(row: Row[Any], absorbed: tuple[int, ...] = (), *, runs: bool = True) -> Choice:
    suspect = row.losses > 0 and row.action != Action.TAKEDOWN
    return Choice(row.id, absorbed, suspect, row.run_after, runs, row.action in SOURCELESS)


def _by_module(siblings: Sequence[Row[Any]]) -> dict[str, _Module]:
    modules: dict[str, _Module] = {}
    for row in siblings:
        module = modules.setdefault(row.url, _Module())
        (module.due if row.due else module.later).append(row)
    return modules


def _columns(task: FromClause) -> tuple[ColumnElement[Any], ...]:
    c = task.c
    return c.id, c.url, c.action, c.absorbs, c.losses, c.run_after
