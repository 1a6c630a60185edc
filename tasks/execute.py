"""Carry out one task, whatever kind it is, and say how it ended."""

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

import packageslip
from database import Action, HeldPlan, LeaseLost, Outcome, Result, Task
from targets import Fenced
from tasks.errors import NotAsked, PlanHeld
from tasks.expire import expiry_after
from tasks.mend import mending_after
from tasks.outcomes import verdict_of
from tasks.telling import notices_after
from tasks.tools import Tools, breakers
from tasks.work import Done, Work

log = structlog.get_logger(__name__)

KINDS = (
    "PUBLISH",
    "DELIVER",
    "UNPUBLISH",
    "ROLLBACK",
    "TAKEDOWN",
    "REPUBLISH",
    "VERIFY",
    "RETIRE",
    "NOTIFY",
    "FETCH",
    "CALL",
    "SITEMAP",
    "ZIPLIST",
    "REDIRECTS",
    "LINKCHECK",
    "EXPORT",
    "PURGE",
    "EXPIRE",
    "SNAPSHOT",
)
"""Actions. What each does is the function of its name in the module of its name."""


def execute(task: Task, tools: Tools) -> Result:
    """Do what the task asks. Every error becomes an outcome, but one.

    Raises Fenced: somebody else has the module, or the lease is over; nothing more may be touched or reported.
    """
    work = Work(task, tools)
    try:
        done = _kind(task.action)(work)
        tools.reached("finishing")
    except Fenced:
        raise
    except LeaseLost as error:
        raise Fenced(str(error), target=work.target) from error
    except Exception as error:  # noqa: BLE001 - the one place where an error becomes an outcome
        return _failed(work, error)
    return Result(
        task.id,
        tools.claim.fence,
        Outcome.SUCCEEDED,
        done.reason,
        published=tuple(work.published),
        seal=work.seal,
        new_tasks=(*done.new_tasks, *notices_after(work), *expiry_after(work), *mending_after(work)),
        summary=work.summary,
    )


def get_ready() -> None:
    """Read in what the first PUBLISH would wait for."""
    _kind(Action.PUBLISH)
    packageslip.get_ready()


def _kind(action: str) -> Callable[[Work], Done]:
    if action not in KINDS:
        raise NotAsked(f"no engine of this version knows the action {action}; known are {', '.join(KINDS)}")
    # Most engines never make a package or a mirror: each imports what it is asked for.
    name = action.lower()
    kind: Callable[[Work], Done] = getattr(importlib.import_module(f"tasks.{name}"), name)
    return kind


def _failed(work: Work, error: Exception) -> Result:
    names = breakers(work.tools.settings, work.tools.environment, work.target)
    result = failure(work.task, work.tools.claim.fence, error, work.target, names)
    plan = HeldPlan(error.digest, json.dumps(error.document)) if isinstance(error, PlanHeld) else None
    told = (*notices_after(work), *(expiry_after(work) if work.published else ()), *mending_after(work))
    return replace(result, published=tuple(work.published), new_tasks=told, plan=plan, summary=work.summary)


def failure(task: Task, fence: int, error: Exception, target: str, names: Mapping[str, str] | None = None) -> Result:
    """What an attempt came to that ended with this error. `names`: what may be down, to the breaker that it opens."""
    verdict = verdict_of(error, task_target=target, breakers=names or {target: target})
    if verdict.unforeseen:
        log.error("task hit a fault of Slipway", task=task.id, url=task.url, exc_info=error)
    return Result(
        task.id,
        fence,
        verdict.outcome,
        verdict.sentence,
        error=verdict.error,
        retry_after=verdict.retry_after,
        breaker=verdict.breaker,
    )
