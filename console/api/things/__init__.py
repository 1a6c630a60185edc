"""What the API gives, as pydantic models: every answer is checked against them before it goes, and the document is made of them.

A field is never taken away and keeps its meaning; new ones may come.
"""

from console.api.things.modules import Difference, History, Module, Takedowns, Why
from console.api.things.places import Audited, Problem, Schedules, Targets, Trends, Trial
from console.api.things.work import Batch, Hastened, OneTask, Overview, Tasks, Whole

__all__ = [
    "Audited",
    "Batch",
    "Difference",
    "Hastened",
    "History",
    "Module",
    "OneTask",
    "Overview",
    "Problem",
    "Schedules",
    "Takedowns",
    "Targets",
    "Tasks",
    "Trends",
    "Trial",
    "Whole",
    "Why",
]
