"""The queue and the record: the only package that knows SQL.

`Database.connect` opens it; the verbs are grouped by who uses them: `Intake` whoever polls, `Leases` and `Claims` the
engines, `Desk` people, `Underway` whoever watches, `Record` whoever asks what is live, `Deposits` whoever asks what archives
have.
"""

from database.actions import ABSORBING, FOLLOWING, GENERATING, NOTICE, PAUSING, RESTORING, SOURCELESS, Action
from database.audit import Audit, AuditRow, Head, Page, Verdict, Wanted
from database.auditing import SEALED_AT_ONCE, Entry
from database.backoff import delay
from database.batches import Batches, Deed, Done
from database.claims import Claims, Due
from database.connection import Database
from database.deposits import Deposit, Deposits, DepositState, Parcel
from database.desk import Desk
from database.errors import DatabaseError, DatabaseUnavailable, LeaseLost, NoSuchTask, QueueRestored, SchemaMismatch, TaskLost
from database.intake import Intake
from database.judge import rejection
from database.lane import Lane
from database.leases import Leases
from database.listing import Filter, Listing, Shown, Sort
from database.newest import Newest
from database.offspring import Offspring
from database.publishing import pack
from database.pulse import Pulse, Pulses
from database.record import Record
from database.restored import GoingOn, Restoration, restored_sentence
from database.rights import Account, Rights, judged, read_grants, rights
from database.scheduled import Fired, Schedules, scheduled_row
from database.signatures import Signatures
from database.takeover import Takeover
from database.trends import Sum, Total, Trends
from database.underway import COUNTED, Happening, Moving, Underway, Waiting
from database.upgrade import SchemaStatus, renew_queue_id, schema_status, upgrade, upgrade_sql
from database.values import (
    OPEN_STATES,
    Attempt,
    Breaker,
    Document,
    Engine,
    Event,
    HeldPlan,
    NewTask,
    Outcome,
    Poll,
    Progress,
    Publication,
    Published,
    Renewal,
    Result,
    Seal,
    State,
    Takedown,
    Task,
)
from database.verified import Drift, Verification, Verifications
from database.views import EngineView, TaskView
from database.watching import Findings, Incident, Interest, Outage, Watching

__all__ = [
    "ABSORBING",
    "COUNTED",
    "FOLLOWING",
    "GENERATING",
    "NOTICE",
    "OPEN_STATES",
    "PAUSING",
    "RESTORING",
    "SEALED_AT_ONCE",
    "SOURCELESS",
    "Account",
    "Action",
    "Attempt",
    "Audit",
    "AuditRow",
    "Batches",
    "Breaker",
    "Claims",
    "Database",
    "DatabaseError",
    "DatabaseUnavailable",
    "Deed",
    "Deposit",
    "DepositState",
    "Deposits",
    "Desk",
    "Document",
    "Done",
    "Drift",
    "Due",
    "Engine",
    "EngineView",
    "Entry",
    "Event",
    "Filter",
    "Findings",
    "Fired",
    "GoingOn",
    "Happening",
    "Head",
    "HeldPlan",
    "Incident",
    "Intake",
    "Interest",
    "Lane",
    "LeaseLost",
    "Leases",
    "Listing",
    "Moving",
    "NewTask",
    "Newest",
    "NoSuchTask",
    "Offspring",
    "Outage",
    "Outcome",
    "Page",
    "Parcel",
    "Poll",
    "Progress",
    "Publication",
    "Published",
    "Pulse",
    "Pulses",
    "QueueRestored",
    "Record",
    "Renewal",
    "Restoration",
    "Result",
    "Rights",
    "Schedules",
    "SchemaMismatch",
    "SchemaStatus",
    "Seal",
    "Shown",
    "Signatures",
    "Sort",
    "State",
    "Sum",
    "Takedown",
    "Takeover",
    "Task",
    "TaskLost",
    "TaskView",
    "Total",
    "Trends",
    "Underway",
    "Verdict",
    "Verification",
    "Verifications",
    "Waiting",
    "Wanted",
    "Watching",
    "delay",
    "judged",
    "pack",
    "read_grants",
    "rejection",
    "renew_queue_id",
    "restored_sentence",
    "rights",
    "scheduled_row",
    "schema_status",
    "upgrade",
    "upgrade_sql",
]
