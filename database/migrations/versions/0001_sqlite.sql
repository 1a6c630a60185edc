-- The first queue, for SQLite 3.35+. Statements are separated by an empty line.
-- Times are text, 'YYYY-MM-DD HH:MM:SS' with or without a fraction, UTC: what CURRENT_TIMESTAMP and datetime() give.
-- SQLite takes any type in any column, so what the claim sorts and compares by is checked here.
CREATE TABLE publication_task_queue (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    url VARCHAR(600),
    environment VARCHAR(64),
    action VARCHAR(32),
    priority INTEGER NOT NULL DEFAULT 100,
    run_after TEXT,
    parameters TEXT,
    requested_by VARCHAR(255),
    note TEXT,
    hold INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER,
    status VARCHAR(12) NOT NULL DEFAULT 'NEW',
    reason TEXT,
    target VARCHAR(64),
    version BLOB,
    absorbs INTEGER NOT NULL DEFAULT 0,
    batch INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    parent INTEGER,
    engine CHAR(32),
    fence INTEGER NOT NULL DEFAULT 0,
    serial INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    losses_alone INTEGER NOT NULL DEFAULT 0,
    approved_plan VARCHAR(64),
    adopt INTEGER NOT NULL DEFAULT 0,
    done_until TEXT,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    started_at TEXT,
    finished_at TEXT,
    running_target VARCHAR(64) AS (CASE WHEN status = 'RUNNING' THEN target END) STORED,
    open_cancel INTEGER AS (CASE WHEN cancel_requested = 1 AND status IN ('NEW', 'READY', 'RUNNING', 'HELD') THEN 1 END) STORED,
    dependent_batch INTEGER AS (CASE WHEN generation > 0 THEN batch END) STORED,
    CONSTRAINT hold_is_0_or_1 CHECK (hold IN (0, 1)),
    CONSTRAINT cancel_requested_is_0_or_1 CHECK (cancel_requested IN (0, 1)),
    CONSTRAINT priority_is_a_whole_number CHECK (typeof(priority) = 'integer'),
    CONSTRAINT max_attempts_is_a_whole_number CHECK (max_attempts IS NULL OR typeof(max_attempts) = 'integer'),
    CONSTRAINT run_after_is_utc_as_yyyy_mm_dd_hh_mm_ss CHECK (run_after IS NULL OR (
        substr(run_after, 1, 19) GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
        AND substr(run_after, 20) NOT GLOB '*[^.0-9]*' AND julianday(run_after) IS NOT NULL)),
    CONSTRAINT status_is_known CHECK (status IN
        ('NEW', 'READY', 'RUNNING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'REJECTED', 'SUPERSEDED'))
)

CREATE UNIQUE INDEX k_running ON publication_task_queue (running_target, url)

CREATE UNIQUE INDEX k_once ON publication_task_queue (dependent_batch, target, url)

CREATE INDEX k_pick ON publication_task_queue (status, environment, target, hold, priority, id, run_after, action)

CREATE INDEX k_due ON publication_task_queue (status, environment, hold, run_after)

CREATE INDEX k_module ON publication_task_queue (target, url, status, id)

CREATE INDEX k_engine ON publication_task_queue (engine)

CREATE INDEX k_batch ON publication_task_queue (batch, generation, status)

CREATE INDEX k_parent ON publication_task_queue (parent)

CREATE INDEX k_url ON publication_task_queue (url, id)

CREATE INDEX k_cancel ON publication_task_queue (open_cancel)

CREATE INDEX k_finished ON publication_task_queue (finished_at)

-- Targets, and sources as "source:NAME": the breaker, and whether one task at a time is allowed.
CREATE TABLE target (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    exclusive INTEGER NOT NULL DEFAULT 0,
    is_open INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    since TEXT,
    probe_at TEXT,
    probe_task INTEGER,
    failures INTEGER NOT NULL DEFAULT 0
)

CREATE TABLE environment (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0
)

CREATE TABLE engine (
    start CHAR(32) NOT NULL PRIMARY KEY,
    environment VARCHAR(64) NOT NULL,
    host VARCHAR(255) NOT NULL,
    boot VARCHAR(64) NOT NULL,
    pid INTEGER NOT NULL,
    version VARCHAR(64) NOT NULL,
    state VARCHAR(8) NOT NULL CONSTRAINT state_is_known CHECK (state IN ('UP', 'GONE', 'DEAD')),
    registered_at TEXT NOT NULL,
    lease_until TEXT NOT NULL,
    ended_at TEXT
)

CREATE INDEX k_state ON engine (state, environment, lease_until)

CREATE INDEX k_lease ON engine (state, lease_until)

CREATE TABLE counter (
    name VARCHAR(16) NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
)

CREATE TABLE attempt (
    task INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    number INTEGER NOT NULL,
    engine CHAR(32) NOT NULL,
    host VARCHAR(255) NOT NULL,
    claimed_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    outcome VARCHAR(16),
    error VARCHAR(255),
    reason TEXT,
    summary TEXT,
    PRIMARY KEY (task, fence)
)

CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL,
    at TEXT NOT NULL,
    state VARCHAR(12) NOT NULL,
    reason TEXT,
    fence INTEGER
)

CREATE INDEX k_task ON event (task, id)

CREATE TABLE publication (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    target VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    version BLOB,
    serial INTEGER NOT NULL,
    task INTEGER,
    document BLOB,
    since TEXT NOT NULL,
    until TEXT,
    module_type VARCHAR(255),
    title TEXT,
    module_state VARCHAR(255)
)

CREATE INDEX k_current ON publication (target, url, until)

CREATE INDEX k_history ON publication (url, id)

-- Slips as they lie on targets: compressed, by the SHA-256 of the document, in parts.
CREATE TABLE document (
    digest BLOB NOT NULL,
    part INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (digest, part)
)

CREATE TABLE plan (
    task INTEGER NOT NULL PRIMARY KEY,
    digest VARCHAR(64) NOT NULL,
    document TEXT NOT NULL,
    at TEXT NOT NULL
)

CREATE TABLE progress (
    task INTEGER NOT NULL PRIMARY KEY,
    step VARCHAR(32) NOT NULL,
    files_done INTEGER NOT NULL,
    files_total INTEGER NOT NULL,
    bytes_done INTEGER NOT NULL,
    bytes_total INTEGER NOT NULL,
    at TEXT NOT NULL
)

CREATE TABLE schedule_run (
    schedule VARCHAR(255) NOT NULL,
    fire_at TEXT NOT NULL,
    task INTEGER NOT NULL,
    PRIMARY KEY (schedule, fire_at)
)

CREATE TABLE setting (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value VARCHAR(255) NOT NULL
)

INSERT INTO counter (name, value) VALUES ('fence', 0), ('intake', 0)

-- New for every database: targets carry it, so that engines of a lost database are shut out.
INSERT INTO setting (name, value) VALUES ('queue', lower(hex(randomblob(16))))
