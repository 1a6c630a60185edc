"""What a task does: the pure planner, one module for each kind of task, and the table that maps errors to outcomes."""

from tasks.errors import NotAsked
from tasks.execute import KINDS, execute, failure, get_ready
from tasks.outcomes import Verdict, verdict_of
from tasks.planner import Ground, Policy, plan, standing
from tasks.plans import Change, Objection, Plan, Reason, Rule, Verb, together
from tasks.tools import Record, Tools, breakers, needs, notice_of, promoted_from, views_source

__all__ = [
    "KINDS",
    "Change",
    "Ground",
    "NotAsked",
    "Objection",
    "Plan",
    "Policy",
    "Reason",
    "Record",
    "Rule",
    "Tools",
    "Verb",
    "Verdict",
    "breakers",
    "execute",
    "failure",
    "get_ready",
    "needs",
    "notice_of",
    "plan",
    "promoted_from",
    "standing",
    "together",
    "verdict_of",
    "views_source",
]
