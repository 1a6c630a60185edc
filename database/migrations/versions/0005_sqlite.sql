-- Modules that were taken down everywhere. While `lifted_at` is NULL nothing of them is published. Never purged.
-- `below` 1: and the modules below. `task`: the newest TAKEDOWN row that asked for it.
CREATE TABLE takedown (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    url VARCHAR(600) NOT NULL,
    below INTEGER NOT NULL DEFAULT 0,
    task BIGINT NOT NULL,
    since TEXT NOT NULL,
    requested_by VARCHAR(255),
    why TEXT,
    lifted_at TEXT,
    lifted_by VARCHAR(255)
)

CREATE INDEX k_takedown_url ON takedown (url, id)

CREATE INDEX k_takedown_lifted ON takedown (lifted_at)
