"""What operators ask, answered with values that the command, the console and the API show alike.

`why`: what stands in the way of a module. `*_fields`: each thing as JSON.
"""

from answers.fields import (
    attempt_fields,
    audit_fields,
    breaker_fields,
    deposit_fields,
    event_fields,
    plan_document,
    progress_fields,
    publication_fields,
    takedown_fields,
    task_fields,
    verdict_fields,
    view_fields,
)
from answers.why import Down, Finding, Why, deposit_words, failure_words, how_far, live_words, why, why_fields, why_lines
from answers.words import many, size, totals, when

__all__ = [
    "Down",
    "Finding",
    "Why",
    "attempt_fields",
    "audit_fields",
    "breaker_fields",
    "deposit_fields",
    "deposit_words",
    "event_fields",
    "failure_words",
    "how_far",
    "live_words",
    "many",
    "plan_document",
    "progress_fields",
    "publication_fields",
    "size",
    "takedown_fields",
    "task_fields",
    "totals",
    "verdict_fields",
    "view_fields",
    "when",
    "why",
    "why_fields",
    "why_lines",
]
