-- What was done, by whom, why: rows are added, sealed into a chain of hashes in the order of `seq`, and never changed or deleted.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    kind VARCHAR(32) NOT NULL,
    who VARCHAR(255),
    account VARCHAR(255),
    task INTEGER,
    fence INTEGER,
    environment VARCHAR(64),
    target VARCHAR(64),
    url VARCHAR(600),
    document TEXT NOT NULL,
    seq INTEGER,
    hash BLOB
)

CREATE UNIQUE INDEX k_seq ON audit (seq)

CREATE INDEX k_audit_url ON audit (url, id)

CREATE INDEX k_audit_task ON audit (task)

CREATE INDEX k_audit_at ON audit (at)

CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END

CREATE TRIGGER audit_rows_stay_as_they_are BEFORE UPDATE ON audit
    WHEN OLD.hash IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a sealed row of the audit log never changes'); END

INSERT INTO counter (name, value) VALUES ('audit', 0)

-- The last signed slip that was believed, for each module in each environment.
CREATE TABLE seen_signature (
    environment VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    serial INTEGER NOT NULL,
    slip BLOB NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (environment, url)
)

-- A file has no accounts.
ALTER TABLE publication_task_queue ADD COLUMN account VARCHAR(255)
