"""What operators ask, answered with values that the command, the console and the API show alike.

`why`: what stands in the way of a module; `module`: all about one; `compare`: what differs between two publications; `life` and
`task_changes`: what a task did and does; `trends`, `schedules`, `targets`: the whole. `*_fields`: each thing as JSON.
"""

from answers.address import listed, module_at, page_in
from answers.attention import Attention, attention
from answers.changes import FileChange, PlanChanges, Tally, TaskChanges, changes_fields, task_changes
from answers.compare import Difference, FileDifference, compare, difference_fields
from answers.fields import (
    attempt_fields,
    audit_fields,
    breaker_fields,
    deposit_fields,
    event_fields,
    plan_document,
    progress_fields,
    publication_fields,
    task_fields,
    verdict_fields,
    view_fields,
    waiting_fields,
)
from answers.life import Moment, Pace, life, pace
from answers.module import Apart, ModuleState, Place, module, module_fields
from answers.overview import COUNTED, AtWork, EnvironmentState, Running, overview, overview_fields
from answers.pausing import carried_out
from answers.remarks import remarks
from answers.remedies import REMEDIES, remedy
from answers.schedules import ScheduleState, run_schedule, schedule_fields, schedule_state, schedules
from answers.standing import WORKS, engine_words, standing, standing_words
from answers.takedowns import Down, DownPage, takedown_fields, takedowns, takedowns_page
from answers.targets import (
    Room,
    TargetState,
    Trial,
    check_fields,
    other_breakers,
    target_fields,
    targets,
    trial_fields,
    try_target,
)
from answers.trends import WINDOWS, Chart, Trends, trends, trends_fields
from answers.why import Finding, Why, deposit_words, failure_words, why, why_fields, why_lines
from answers.words import ago, at, many, size, span, totals, when

__all__ = [
    "COUNTED",
    "REMEDIES",
    "WINDOWS",
    "WORKS",
    "Apart",
    "AtWork",
    "Attention",
    "Chart",
    "Difference",
    "Down",
    "DownPage",
    "EnvironmentState",
    "FileChange",
    "FileDifference",
    "Finding",
    "ModuleState",
    "Moment",
    "Pace",
    "Place",
    "PlanChanges",
    "Room",
    "Running",
    "ScheduleState",
    "Tally",
    "TargetState",
    "TaskChanges",
    "Trends",
    "Trial",
    "Why",
    "ago",
    "at",
    "attempt_fields",
    "attention",
    "audit_fields",
    "breaker_fields",
    "carried_out",
    "changes_fields",
    "check_fields",
    "compare",
    "deposit_fields",
    "deposit_words",
    "difference_fields",
    "engine_words",
    "event_fields",
    "failure_words",
    "life",
    "listed",
    "many",
    "module",
    "module_at",
    "module_fields",
    "other_breakers",
    "overview",
    "overview_fields",
    "pace",
    "page_in",
    "plan_document",
    "progress_fields",
    "publication_fields",
    "remarks",
    "remedy",
    "run_schedule",
    "schedule_fields",
    "schedule_state",
    "schedules",
    "size",
    "span",
    "standing",
    "standing_words",
    "takedown_fields",
    "takedowns",
    "takedowns_page",
    "target_fields",
    "targets",
    "task_changes",
    "task_fields",
    "totals",
    "trends",
    "trends_fields",
    "trial_fields",
    "try_target",
    "verdict_fields",
    "view_fields",
    "waiting_fields",
    "when",
    "why",
    "why_fields",
    "why_lines",
]
