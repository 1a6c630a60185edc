-- Modules that were taken down everywhere. While `lifted_at` is NULL nothing of them is published. Never purged.
-- `below` 1: and the modules below. `task`: the newest TAKEDOWN row that asked for it.
CREATE TABLE takedown (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    url VARCHAR(600) NOT NULL,
    below TINYINT NOT NULL DEFAULT 0,
    task BIGINT NOT NULL,
    since DATETIME(6) NOT NULL,
    requested_by VARCHAR(255),
    why TEXT,
    lifted_at DATETIME(6),
    lifted_by VARCHAR(255),
    KEY k_url (url, id),
    KEY k_lifted (lifted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
