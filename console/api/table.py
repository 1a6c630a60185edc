"""Every call of the API. The document at /openapi.json is made of this table and of nothing else."""

from collections.abc import Callable

from pydantic import BaseModel

from console.api import asks, modules, places, tasks, things
from console.api.calls import Call, Given, Nothing, Strict
from console.people import Role
from database import Desk

Does = Callable[..., Given]


def _look(path: str, does: Does, gives: type[BaseModel], summary: str, query: type[Strict] = Nothing) -> Call:
    return Call("GET", path, does, gives, summary, query=query)


def _change(path: str, does: Does, gives: type[BaseModel], summary: str, body: type[Strict] | None = asks.Said) -> Call:
    return Call("POST", path, does, gives, summary, Role.OPERATOR, body=body)


def _new(path: str, does: Does, summary: str, body: type[Strict] = asks.Said, role: Role = Role.OPERATOR) -> Call:
    """What inserts a row, and gives it."""
    return Call("POST", path, does, things.OneTask, summary, role, body=body, status=201)


CALLS: tuple[Call, ...] = (
    _look("/overview", places.glance, things.Overview, "What goes on in each environment"),
    _new("/environments/{name}/pause", places.pause, "Let no engine take tasks of it", asks.Pause),
    _new("/environments/{name}/resume", places.resume, "Let it work again"),
    _change("/environments/{name}/run", places.run, things.Hastened, "Try again now what waits for another try"),
    _look("/tasks", tasks.index, things.Tasks, "List tasks", asks.TasksAsked),
    _new("/tasks", tasks.insert, "Insert a task", asks.NewTask),
    _change("/tasks/batch", tasks.batch, things.Batch, "Cancel, hold, release or retry many", asks.Batch),
    _look("/tasks/{id:int}", tasks.show, things.Whole, "Everything about one task"),
    _change("/tasks/{id:int}/cancel", tasks.acting(Desk.cancel), things.OneTask, "Cancel it"),
    _change("/tasks/{id:int}/hold", tasks.acting(Desk.hold), things.OneTask, "Let it wait until it is released"),
    _change("/tasks/{id:int}/release", tasks.acting(Desk.release), things.OneTask, "Let it go on"),
    _new("/tasks/{id:int}/retry", tasks.retry, "Do an ended task again, as a new one"),
    _new("/tasks/{id:int}/approve", tasks.approve, "Let a held task go on with this plan", asks.Approval, Role.APPROVER),
    _look("/why", modules.why_not, things.Why, "Why is this module not live?", asks.OfModule),
    _look("/module", modules.whole, things.Module, "Everything about a module", asks.OfModule),
    _look("/history", modules.history, things.History, "A module's publications, the newest first", asks.HistoryAsked),
    _look("/diff", modules.diff, things.Difference, "What changes from one publication to another", asks.DiffAsked),
    _new("/rollback", tasks.rollback, "Publish again what was live before", asks.Rollback),
    _look("/takedowns", modules.takedowns, things.Takedowns, "What must not be published", asks.TakedownAsked),
    _new("/takedowns", modules.take_down, "Remove a module from everywhere, and keep it away", asks.TakeDown, Role.APPROVER),
    _new("/takedowns/lift", modules.lift, "Let it be published again", asks.Lift, Role.APPROVER),
    _look("/trends", places.over_time, things.Trends, "How publishing goes over time", asks.TrendsAsked),
    _look("/schedules", places.schedules, things.Schedules, "What comes back by the clock"),
    _new("/schedules/{name}/run", places.run_now, "Insert a schedule's row now"),
    _look("/targets", places.targets, things.Targets, "Where published files live, and whether they have drifted"),
    _change("/targets/{name}/test", places.try_target, things.Trial, "Try what publishing needs there", body=None),
    _look("/audit", places.audit, things.Audited, "What was done, by whom and why", asks.AuditAsked),
)
