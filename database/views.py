"""What people are shown: values put together from several tables."""

from dataclasses import dataclass
from datetime import datetime

from database.values import Attempt, Engine, Event, HeldPlan, Progress, Task


@dataclass(frozen=True, slots=True)
class EngineView:
    """One engine as the database knows it. `state` is UP, GONE (left) or DEAD (lease expired, or found dead)."""

    engine: Engine
    state: str
    version: str
    registered_at: datetime
    lease_until: datetime
    running: int = 0
    """Tasks it holds now."""
    protocol: int = 1
    """What it understands: see `schema.PROTOCOL`."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """Everything about one task, oldest first."""

    task: Task
    attempts: tuple[Attempt, ...] = ()
    events: tuple[Event, ...] = ()
    progress: Progress | None = None
    plan: HeldPlan | None = None
    children: tuple[Task, ...] = ()
    """What it made: DELIVERs, dependents, the modules of a REPUBLISH; the first 1,000."""
