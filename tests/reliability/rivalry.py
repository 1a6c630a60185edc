"""How many claims were contended: when an engine began, somebody else wanted the same module on the same target."""

from collections.abc import Iterable
from dataclasses import dataclass, field

WANTED = frozenset({"READY", "RUNNING"})


@dataclass
class Rivalry:
    """Changes of states go in, in their order. `claims` counts all, `contended` those with a rival: an open task of another environment.

    A rival of the same environment would not do: the newest of those takes the others' place, and nobody contends with it.
    """

    claims: int = 0
    contended: int = 0
    wanted: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    """Module to environment to its open tasks."""

    def see(self, changes: Iterable[tuple[int, str, str, str]]) -> None:
        """Each a task's id, module and environment, and the state that it came to."""
        for task, url, environment, state in changes:
            wanted = self.wanted.setdefault(url, {})
            if state == "RUNNING":
                self.claims += 1
                self.contended += any(open_tasks for other, open_tasks in wanted.items() if other != environment)
            mine = wanted.setdefault(environment, set())
            if state in WANTED:
                mine.add(task)
            else:
                mine.discard(task)
