"""Carry out one task, whatever kind it is, and say how it ended."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from database import HeldPlan, LeaseLost, Outcome, Result, Task
from targets import Fenced
from tasks.call import call
from tasks.deliver import deliver
from tasks.errors import NotAsked, PlanHeld
from tasks.expire import expire, expiry_after
from tasks.export import export
from tasks.fetch import fetch
from tasks.linkcheck import linkcheck
from tasks.mend import mending_after
from tasks.notify import notify
from tasks.outcomes import verdict_of
from tasks.publish import publish
from tasks.purge import purge
from tasks.redirects import redirects
from tasks.republish import republish
from tasks.retire import retire
from tasks.rollback import rollback
from tasks.sitemap import sitemap
from tasks.snapshot import snapshot
from tasks.takedown import takedown
from tasks.telling import notices_after
from tasks.tools import Tools, breakers
from tasks.unpublish import unpublish
from tasks.verify import verify
from tasks.work import Done, Work
from tasks.ziplist import ziplist

log = structlog.get_logger(__name__)

KINDS: Mapping[str, Callable[[Work], Done]] = {
    "PUBLISH": publish,
    "DELIVER": deliver,
    "UNPUBLISH": unpublish,
    "ROLLBACK": rollback,
    "TAKEDOWN": takedown,
    "REPUBLISH": republish,
    "VERIFY": verify,
    "RETIRE": retire,
    "NOTIFY": notify,
    "FETCH": fetch,
    "CALL": call,
    "SITEMAP": sitemap,
    "ZIPLIST": ziplist,
    "REDIRECTS": redirects,
    "LINKCHECK": linkcheck,
    "EXPORT": export,
    "PURGE": purge,
    "EXPIRE": expire,
    "SNAPSHOT": snapshot,
}


def execute(task: Task, tools: Tools) -> Result:
    """Do what the task asks. Every error becomes an outcome, but one.

    Raises Fenced: somebody else has the module, or the lease is over; nothing more may be touched or reported.
    """
    work = Work(task, tools)
    try:
        done = _kind(task)(work)
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
        new_tasks=(*done.new_tasks, *notices_after(work), *expiry_after(work), *mending_after(work)),
        summary=work.summary,
    )


def _kind(task: Task) -> Callable[[Work], Done]:
    if task.action not in KINDS:
        raise NotAsked(f"no engine of this version knows the action {task.action}; known are {', '.join(KINDS)}")
    return KINDS[task.action]


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
