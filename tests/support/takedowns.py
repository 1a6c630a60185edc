"""A takedown in the queue: asked for, and what engines get of it."""

from typing import Any

from database import Action, Engine, Lane, NewTask, Task
from support.queue import Queue


def take_down(queue: Queue, url: str = "/a", environment: str = "*", **more: Any) -> int:
    """The root's id, when intake has seen it."""
    task = queue.desk.insert(NewTask(url, environment, Action.TAKEDOWN, **more))
    queue.intake.accept(queue.settings)
    return task


def urgent(queue: Queue, engine: Engine, *targets: str) -> list[Task]:
    """What an engine's urgent lanes get."""
    names = targets or tuple(sorted(queue.claims.waiting(engine.environment).urgent))
    return queue.claims.claim(engine, [Lane(name, 8, urgent=True) for name in names])
