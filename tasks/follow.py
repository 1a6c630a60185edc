"""What has to be done after a module changed: deliveries, and the modules whose pages show it."""

from collections.abc import Iterator

import structlog

from database import Action, NewTask
from packageslip import Digest, Packageslip, version_of
from tasks.areas import GENERATED, TREE, is_up_to_date, part_of
from tasks.tools import promoted_from
from tasks.work import Work

log = structlog.get_logger(__name__)

GENERATIONS = 2
"""How far dependents of dependents go: a course's department, and what shows that department; two modules may name each other."""


def after_publish(work: Work, wanted: Packageslip, before: Packageslip | None, *, changed: bool) -> tuple[NewTask, ...]:
    """The tasks that follow a publication of `wanted` on the task's target. `before`: what was live there."""
    version = work.published[-1].version if work.published else before.version if before else version_of(wanted)
    deliveries = _deliveries(work, wanted, None if changed else before, version)
    return (*deliveries, *(dependents(work, wanted, before) if changed else ()))


def _deliveries(work: Work, wanted: Packageslip, unchanged: Packageslip | None, version: Digest | None) -> Iterator[NewTask]:
    """One task for each holding area that takes the module and does not hold this. `unchanged`: what was and is live.

    They are outside the batch: a sick holding area must not keep the dependents waiting. An area for modules that require a zip
    gives back what requires none any more.
    """
    url, kind = work.task.url, wanted.module_type
    for area in work.tools.environment.holding_areas:
        if wanted.state == GENERATED and area.form != TREE:
            continue
        if area.modules.takes(url, kind, zip_required=wanted.zip_required):
            empty = not any(part_of(area, wanted).files())
            if not empty and (unchanged is None or not is_up_to_date(work, area, unchanged)):
                yield _further(work, Action.DELIVER, area.target, version)
        elif area.modules.takes(url, kind) and work.tools.record.current(area.target, url):
            yield _further(work, Action.UNPUBLISH, area.target, None)


def withdrawals(work: Work, last: Packageslip | None) -> Iterator[NewTask]:
    """One UNPUBLISH for each holding area that holds the module, or may be about to: a delivery may be under way."""
    task, record = work.task, work.tools.record
    for area in work.tools.environment.holding_areas:
        may = last is not None and area.modules.takes(task.url, last.module_type)
        if may or record.current(area.target, task.url) is not None:
            yield _further(work, Action.UNPUBLISH, area.target, None)


def _further(work: Work, action: Action, target: str, version: Digest | None) -> NewTask:
    task = work.task
    return NewTask(
        task.url,
        task.environment,
        action,
        priority=task.priority,
        requested_by=task.requested_by,
        target=target,
        version=version,
        parent=task.id,
    )


def dependents(work: Work, *slips: Packageslip | None) -> Iterator[NewTask]:
    """One PUBLISH for each module that shows this one, in the batch of the root, a generation later.

    `slips`: the new one and the one before it, for a module that is no longer named shows this one until it is made again.
    """
    task, environment = work.task, work.tools.environment
    if not environment.dependents or task.generation >= GENERATIONS:
        return
    named = {url for slip in slips if slip for url in (*slip.dependents, *_departments(work, slip))}
    for url in sorted(named - {task.url}):
        version = _version_to_promote(work, url)
        if version is None and promoted_from(environment):
            log.info("dependent is not there to be promoted", task=task.id, url=url, source=environment.source)
            continue
        yield NewTask(
            url,
            task.environment,
            Action.PUBLISH,
            priority=task.priority,
            requested_by=task.requested_by,
            version=version,
            batch=task.batch or task.id,
            generation=task.generation + 1,
            parent=task.id,
        )


def _departments(work: Work, slip: Packageslip) -> Iterator[str]:
    known = work.tools.settings.departments
    for department in slip.linked_departments:
        if department in known:
            yield known[department]
        else:
            log.warning("department has no URL in [departments]", task=work.task.id, department=department)
            work.summary["unknown_departments"] = sorted({*work.summary.get("unknown_departments", ()), department})


def _version_to_promote(work: Work, url: str) -> Digest | None:
    """In an environment that promotes, a dependent is bound to what is live there now, like any other task."""
    promoted = promoted_from(work.tools.environment)
    live = work.tools.record.current(promoted, url) if promoted else None
    return live.version if live else None
