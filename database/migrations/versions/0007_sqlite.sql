-- What attempts add up to, by the hour and by the day, so that a look at months costs no more than one at hours. A measure is a
-- word such as 'outcome:SUCCEEDED' or 'phase:load': how often, how much in all, and the most at once. The environment '*' is all of them.
CREATE TABLE trend (
    span VARCHAR(4) NOT NULL,
    at TEXT NOT NULL,
    environment VARCHAR(64) NOT NULL,
    measure VARCHAR(80) NOT NULL,
    n INTEGER NOT NULL,
    total REAL NOT NULL,
    most REAL NOT NULL,
    PRIMARY KEY (span, environment, at, measure)
)

-- How far attempts are added up.
INSERT INTO setting (name, value) VALUES ('trend', '')

-- The newest attempts, as they are added up.
CREATE INDEX k_ended ON attempt (ended_at)

-- What the last VERIFY of each module found on each target.
CREATE TABLE verified (
    target VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    task INTEGER NOT NULL,
    at TEXT NOT NULL,
    drifted INTEGER NOT NULL,
    reason TEXT,
    PRIMARY KEY (target, url)
)

CREATE INDEX k_drifted ON verified (target, drifted, url)

CREATE INDEX k_verified_at ON verified (target, at)

-- The newest publication of a target.
CREATE INDEX k_newest ON publication (target, id)

-- How long the running step has taken; an engine of an older program does not say.
ALTER TABLE progress ADD COLUMN seconds REAL NOT NULL DEFAULT 0
