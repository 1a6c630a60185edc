"""An engine whose tasks are empty: `python -P empty_engine.py ENVIRONMENT ...`. All else of it is the real one's."""

import sys

from database import Outcome, Result, Task
from engines.__main__ import main
from engines.workshop import Targets, Workshop


def nothing(_workshop: Workshop, task: Task, _targets: Targets) -> Result:
    """What an empty task comes to."""
    return Result(task.id, task.fence, Outcome.SUCCEEDED, "nothing to do")


if __name__ == "__main__":
    Workshop.carry_out = nothing  # type: ignore[method-assign, assignment]
    sys.exit(main())
