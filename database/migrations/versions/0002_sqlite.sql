-- Deposits of retired modules in archives. Never purged: without its row a package could be deposited a second time.
-- PREPARED: nothing was sent, or the archive said that it took nothing. SENT: written before the request; it may be there.
CREATE TABLE deposit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    url VARCHAR(600) NOT NULL,
    version BLOB NOT NULL,
    archive VARCHAR(64) NOT NULL,
    collection TEXT NOT NULL,
    identifier VARCHAR(255) NOT NULL,
    file VARCHAR(255) NOT NULL,
    digest BLOB NOT NULL,
    md5 CHAR(32) NOT NULL,
    size INTEGER NOT NULL,
    state VARCHAR(12) NOT NULL CHECK (state IN ('PREPARED', 'SENT', 'CONFIRMED')),
    task INTEGER NOT NULL,
    sendings INTEGER NOT NULL DEFAULT 0,
    prepared_at TEXT NOT NULL,
    sent_at TEXT,
    confirmed_at TEXT,
    told_at TEXT,
    location TEXT,
    handle VARCHAR(255),
    receipt BLOB
)

CREATE INDEX k_deposit_url ON deposit (url, id)
