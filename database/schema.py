"""The tables as queries see them: names and types of columns. Keys and checks are in migrations/versions/*.sql."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
)

from database.moments import Moment

REVISION = "0008"
"""The newest migration: what this code works with."""

PROTOCOL = 3
"""How rows, slips and notes are meant. It rises with anything that an older program would misunderstand: a new action, say.

An engine notes it with its lease, and the queue keeps the highest: who works with a lower one leaves alone what it does not
know. 1 is what was before it was noted; 3 came with PAUSE.
"""

URL_MAX, URL_COLUMN = 500, 600
"""Characters of a URL, and of its column: a value that a lenient session cut short is still seen to be too long."""


NOW = literal_column("UTC_TIMESTAMP(6)", Moment())
"""The database's clock; on SQLite a function of that name is registered on each connection."""

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")

queue = Table(
    "publication_task_queue",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("url", String(URL_COLUMN)),
    Column("environment", String(64)),
    Column("action", String(32)),
    Column("priority", Integer),
    Column("run_after", Moment),
    Column("parameters", Text),
    Column("requested_by", String(255)),
    Column("note", Text),
    Column("hold", Integer),
    Column("cancel_requested", Integer),
    Column("max_attempts", Integer),
    Column("status", String(12)),
    Column("reason", Text),
    Column("target", String(64)),
    Column("version", LargeBinary),
    Column("absorbs", Integer),
    Column("batch", BigInteger),
    Column("generation", Integer),
    Column("parent", BigInteger),
    Column("engine", String(32)),
    Column("fence", BigInteger),
    Column("serial", BigInteger),
    Column("attempts", Integer),
    Column("losses", Integer),
    Column("losses_alone", Integer),
    Column("approved_plan", String(64)),
    Column("adopt", Integer),
    Column("done_until", Text),
    Column("created_at", Moment),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("running_target", String(64)),
    Column("open_cancel", Integer),
    Column("account", String(255)),
)

target = Table(
    "target",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("exclusive", Integer),
    Column("is_open", Integer),
    Column("reason", Text),
    Column("since", Moment),
    Column("probe_at", Moment),
    Column("probe_task", BigInteger),
    Column("failures", Integer),
)

environment = Table("environment", metadata, Column("name", String(64), primary_key=True), Column("paused", Integer))

engine = Table(
    "engine",
    metadata,
    Column("start", String(32), primary_key=True),
    Column("environment", String(64)),
    Column("host", String(255)),
    Column("boot", String(64)),
    Column("pid", Integer),
    Column("began", BigInteger),
    Column("protocol", Integer),
    Column("version", String(64)),
    Column("state", String(8)),
    Column("registered_at", Moment),
    Column("lease_until", Moment),
    Column("ended_at", Moment),
)

counter = Table("counter", metadata, Column("name", String(16), primary_key=True), Column("value", BigInteger))

attempt = Table(
    "attempt",
    metadata,
    Column("task", BigInteger, primary_key=True),
    Column("fence", BigInteger, primary_key=True),
    Column("number", Integer),
    Column("engine", String(32)),
    Column("host", String(255)),
    Column("claimed_at", Moment),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("outcome", String(16)),
    Column("error", String(255)),
    Column("reason", Text),
    Column("summary", Text),
)

event = Table(
    "event",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("task", BigInteger),
    Column("at", Moment),
    Column("state", String(12)),
    Column("reason", Text),
    Column("fence", BigInteger),
)

publication = Table(
    "publication",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("target", String(64)),
    Column("url", String(URL_COLUMN)),
    Column("version", LargeBinary),
    Column("serial", BigInteger),
    Column("task", BigInteger),
    Column("document", LargeBinary),
    Column("since", Moment),
    Column("until", Moment),
    Column("module_type", String(255)),
    Column("title", Text),
    Column("module_state", String(255)),
)

document = Table(
    "document",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("body", LargeBinary),
)

plan = Table(
    "plan",
    metadata,
    Column("task", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64)),
    Column("document", Text),
    Column("at", Moment),
)

progress = Table(
    "progress",
    metadata,
    Column("task", BigInteger, primary_key=True, autoincrement=False),
    Column("step", String(32)),
    Column("files_done", BigInteger),
    Column("files_total", BigInteger),
    Column("bytes_done", BigInteger),
    Column("bytes_total", BigInteger),
    Column("at", Moment),
    Column("seconds", Double),
)

schedule_run = Table(
    "schedule_run",
    metadata,
    Column("schedule", String(255), primary_key=True),
    Column("fire_at", Moment, primary_key=True),
    Column("task", BigInteger),
)

deposit = Table(
    "deposit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("url", String(URL_COLUMN)),
    Column("version", LargeBinary),
    Column("archive", String(64)),
    Column("collection", Text),
    Column("identifier", String(255)),
    Column("file", String(255)),
    Column("digest", LargeBinary),
    Column("md5", String(32)),
    Column("size", BigInteger),
    Column("state", String(12)),
    Column("task", BigInteger),
    Column("sendings", Integer),
    Column("prepared_at", Moment),
    Column("sent_at", Moment),
    Column("confirmed_at", Moment),
    Column("told_at", Moment),
    Column("location", Text),
    Column("handle", String(255)),
    Column("receipt", LargeBinary),
)

takedown = Table(
    "takedown",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("url", String(URL_COLUMN)),
    Column("below", Integer),
    Column("task", BigInteger),
    Column("since", Moment),
    Column("requested_by", String(255)),
    Column("why", Text),
    Column("lifted_at", Moment),
    Column("lifted_by", String(255)),
)

setting = Table("setting", metadata, Column("name", String(64), primary_key=True), Column("value", String(255)))

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", Moment),
    Column("kind", String(32)),
    Column("who", String(255)),
    Column("account", String(255)),
    Column("task", BigInteger),
    Column("fence", BigInteger),
    Column("environment", String(64)),
    Column("target", String(64)),
    Column("url", String(URL_COLUMN)),
    Column("document", Text),
    Column("seq", BigInteger),
    Column("hash", LargeBinary),
)

seen_signature = Table(
    "seen_signature",
    metadata,
    Column("environment", String(64), primary_key=True),
    Column("url", String(URL_COLUMN), primary_key=True),
    Column("serial", BigInteger),
    Column("slip", LargeBinary),
    Column("at", Moment),
)

trend = Table(
    "trend",
    metadata,
    Column("span", String(4), primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("environment", String(64), primary_key=True),
    Column("measure", String(80), primary_key=True),
    Column("n", BigInteger),
    Column("total", Double),
    Column("most", Double),
)

seal = Table(
    "seal",
    metadata,
    Column("target", String(64), primary_key=True),
    Column("url", String(URL_COLUMN), primary_key=True),
    Column("version", LargeBinary),
    Column("serial", BigInteger),
    Column("source", String(64)),
    Column("seen", String(64)),
    Column("mark", Text),
    Column("files", Integer),
)

verified = Table(
    "verified",
    metadata,
    Column("target", String(64), primary_key=True),
    Column("url", String(URL_COLUMN), primary_key=True),
    Column("task", BigInteger),
    Column("at", Moment),
    Column("drifted", Integer),
    Column("reason", Text),
)
