-- Deposits of retired modules in archives. Never purged: without its row a package could be deposited a second time.
-- PREPARED: nothing was sent, or the archive said that it took nothing. SENT: written before the request; it may be there.
CREATE TABLE deposit (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    url VARCHAR(600) NOT NULL,
    version VARBINARY(32) NOT NULL,
    archive VARCHAR(64) NOT NULL,
    collection TEXT NOT NULL,
    identifier VARCHAR(255) NOT NULL,
    file VARCHAR(255) NOT NULL,
    digest VARBINARY(32) NOT NULL,
    md5 CHAR(32) NOT NULL,
    size BIGINT NOT NULL,
    state VARCHAR(12) NOT NULL,
    task BIGINT NOT NULL,
    sendings INT NOT NULL DEFAULT 0,
    prepared_at DATETIME(6) NOT NULL,
    sent_at DATETIME(6),
    confirmed_at DATETIME(6),
    told_at DATETIME(6),
    location TEXT,
    handle VARCHAR(255),
    receipt MEDIUMBLOB,
    KEY k_url (url, id),
    CONSTRAINT deposit_state_is_known CHECK (state IN ('PREPARED', 'SENT', 'CONFIRMED'))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
