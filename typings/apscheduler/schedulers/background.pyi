from collections.abc import Callable, Sequence
from datetime import tzinfo

from apscheduler.triggers.base import BaseTrigger

class BackgroundScheduler:
    def __init__(self, *, timezone: tzinfo | None = None, daemon: bool = True) -> None: ...
    def start(self, paused: bool = False) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
    def remove_all_jobs(self) -> None: ...
    def add_job(
        self,
        func: Callable[..., None],
        trigger: BaseTrigger,
        *,
        args: Sequence[object] = (),
        id: str | None = None,
        name: str | None = None,
        misfire_grace_time: int | None = None,
        coalesce: bool = True,
        max_instances: int = 1,
    ) -> object: ...
