-- What was done, by whom, why: rows are added, sealed into a chain of hashes in the order of `seq`, and never changed or deleted.
CREATE TABLE audit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    kind VARCHAR(32) NOT NULL,
    who VARCHAR(255),
    account VARCHAR(255) DEFAULT (CURRENT_USER()),
    task BIGINT,
    fence BIGINT,
    environment VARCHAR(64),
    target VARCHAR(64),
    url VARCHAR(600),
    document TEXT NOT NULL,
    seq BIGINT,
    hash VARBINARY(32),
    UNIQUE KEY k_seq (seq),
    KEY k_audit_url (url, id),
    KEY k_audit_task (task),
    KEY k_audit_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- How many rows of the audit log are sealed; the row is locked while more are.
INSERT INTO counter (name, value) VALUES ('audit', 0)

-- The last signed slip that was believed, for each module in each environment.
CREATE TABLE seen_signature (
    environment VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    serial BIGINT NOT NULL,
    slip VARBINARY(32) NOT NULL,
    at DATETIME(6) NOT NULL,
    PRIMARY KEY (environment, url)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- Which account inserted a row: nobody can say another one. Rows that were there before have none.
ALTER TABLE publication_task_queue ADD COLUMN account VARCHAR(255)

ALTER TABLE publication_task_queue ALTER COLUMN account SET DEFAULT (CURRENT_USER())
