-- The first queue, for MySQL 8.0.16+ and MariaDB 10.6+. Statements are separated by an empty line.
-- Text is utf8mb4_bin: URLs that differ by case are different modules.
-- Generated columns are STORED: an index on a VIRTUAL one can keep MariaDB from starting after a crash.
-- Request columns take what people write; intake answers a bad row with REJECTED.
CREATE TABLE publication_task_queue (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    url VARCHAR(600),
    environment VARCHAR(64),
    action VARCHAR(32),
    priority INT NOT NULL DEFAULT 100,
    run_after DATETIME(6),
    parameters TEXT,
    requested_by VARCHAR(255),
    note TEXT,
    hold TINYINT NOT NULL DEFAULT 0,
    cancel_requested TINYINT NOT NULL DEFAULT 0,
    max_attempts INT,
    status VARCHAR(12) NOT NULL DEFAULT 'NEW',
    reason TEXT,
    target VARCHAR(64),
    version VARBINARY(32),
    absorbs TINYINT NOT NULL DEFAULT 0,
    batch BIGINT,
    generation TINYINT NOT NULL DEFAULT 0,
    parent BIGINT,
    engine CHAR(32),
    fence BIGINT NOT NULL DEFAULT 0,
    serial BIGINT NOT NULL DEFAULT 0,
    attempts INT NOT NULL DEFAULT 0,
    losses INT NOT NULL DEFAULT 0,
    losses_alone INT NOT NULL DEFAULT 0,
    approved_plan VARCHAR(64),
    adopt TINYINT NOT NULL DEFAULT 0,
    done_until TEXT,
    created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
    started_at DATETIME(6),
    finished_at DATETIME(6),
    running_target VARCHAR(64) AS (CASE WHEN status = 'RUNNING' THEN target END) STORED,
    open_cancel TINYINT AS (CASE WHEN cancel_requested = 1 AND status IN ('NEW', 'READY', 'RUNNING', 'HELD') THEN 1 END) STORED,
    dependent_batch BIGINT AS (CASE WHEN generation > 0 THEN batch END) STORED,
    UNIQUE KEY k_running (running_target, url),
    UNIQUE KEY k_once (dependent_batch, target, url),
    KEY k_pick (status, environment, target, hold, priority, id, run_after, action),
    KEY k_due (status, environment, hold, run_after),
    KEY k_module (target, url, status, id),
    KEY k_engine (engine),
    KEY k_batch (batch, generation, status),
    KEY k_parent (parent),
    KEY k_url (url, id),
    KEY k_cancel (open_cancel),
    KEY k_finished (finished_at),
    CONSTRAINT hold_is_0_or_1 CHECK (hold IN (0, 1)),
    CONSTRAINT cancel_requested_is_0_or_1 CHECK (cancel_requested IN (0, 1)),
    CONSTRAINT status_is_known CHECK (status IN
        ('NEW', 'READY', 'RUNNING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'REJECTED', 'SUPERSEDED'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- Targets, and sources as "source:NAME": the lock of every claim, the breaker, and whether one task at a time is allowed.
CREATE TABLE target (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    exclusive TINYINT NOT NULL DEFAULT 0,
    is_open TINYINT NOT NULL DEFAULT 0,
    reason TEXT,
    since DATETIME(6),
    probe_at DATETIME(6),
    probe_task BIGINT,
    failures INT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE environment (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    paused TINYINT NOT NULL DEFAULT 0
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE engine (
    start CHAR(32) NOT NULL PRIMARY KEY,
    environment VARCHAR(64) NOT NULL,
    host VARCHAR(255) NOT NULL,
    boot VARCHAR(64) NOT NULL,
    pid INT NOT NULL,
    version VARCHAR(64) NOT NULL,
    state VARCHAR(8) NOT NULL,
    registered_at DATETIME(6) NOT NULL,
    lease_until DATETIME(6) NOT NULL,
    ended_at DATETIME(6),
    KEY k_state (state, environment, lease_until),
    KEY k_lease (state, lease_until),
    CONSTRAINT state_is_known CHECK (state IN ('UP', 'GONE', 'DEAD'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE counter (
    name VARCHAR(16) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE attempt (
    task BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    number INT NOT NULL,
    engine CHAR(32) NOT NULL,
    host VARCHAR(255) NOT NULL,
    claimed_at DATETIME(6) NOT NULL,
    started_at DATETIME(6),
    ended_at DATETIME(6),
    outcome VARCHAR(16),
    error VARCHAR(255),
    reason TEXT,
    summary MEDIUMTEXT,
    PRIMARY KEY (task, fence)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE event (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    task BIGINT NOT NULL,
    at DATETIME(6) NOT NULL,
    state VARCHAR(12) NOT NULL,
    reason TEXT,
    fence BIGINT,
    KEY k_task (task, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE publication (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    target VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    version VARBINARY(32),
    serial BIGINT NOT NULL,
    task BIGINT,
    document VARBINARY(32),
    since DATETIME(6) NOT NULL,
    until DATETIME(6),
    module_type VARCHAR(255),
    title TEXT,
    module_state VARCHAR(255),
    KEY k_current (target, url, until),
    KEY k_history (url, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- Slips as they lie on targets: compressed, by the SHA-256 of the document, in parts that fit any max_allowed_packet.
CREATE TABLE document (
    digest VARBINARY(32) NOT NULL,
    part INT NOT NULL,
    body MEDIUMBLOB NOT NULL,
    PRIMARY KEY (digest, part)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE plan (
    task BIGINT NOT NULL PRIMARY KEY,
    digest VARCHAR(64) NOT NULL,
    document LONGTEXT NOT NULL,
    at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE progress (
    task BIGINT NOT NULL PRIMARY KEY,
    step VARCHAR(32) NOT NULL,
    files_done BIGINT NOT NULL,
    files_total BIGINT NOT NULL,
    bytes_done BIGINT NOT NULL,
    bytes_total BIGINT NOT NULL,
    at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE schedule_run (
    schedule VARCHAR(255) NOT NULL,
    fire_at DATETIME(6) NOT NULL,
    task BIGINT NOT NULL,
    PRIMARY KEY (schedule, fire_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

CREATE TABLE setting (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value VARCHAR(255) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

INSERT INTO counter (name, value) VALUES ('fence', 0), ('intake', 0)

-- New for every database: targets carry it, so that engines of a lost database are shut out.
INSERT INTO setting (name, value) VALUES ('queue', REPLACE(UUID(), '-', ''))

-- The call that old scripts make: 1 = staging, 3 = production; any other code becomes a REJECTED row that says so.
-- One statement, so that this text runs in any client without DELIMITER.
CREATE PROCEDURE schedule_implicit_module(IN module_url TEXT, IN environment_code INT, IN user_name TEXT, IN remark TEXT)
    MODIFIES SQL DATA SQL SECURITY INVOKER
    INSERT INTO publication_task_queue (url, environment, requested_by, note) VALUES (module_url,
        CASE environment_code WHEN 1 THEN 'STAGING' WHEN 3 THEN 'PRODUCTION' ELSE CONCAT('code ', COALESCE(environment_code, 'NULL')) END,
        user_name, NULLIF(remark, ''))
