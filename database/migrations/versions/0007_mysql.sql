-- What attempts add up to, by the hour and by the day, so that a look at months costs no more than one at hours. A measure is a
-- word such as 'outcome:SUCCEEDED' or 'phase:load': how often, how much in all, and the most at once. The environment '*' is all of them.
CREATE TABLE trend (
    span VARCHAR(4) NOT NULL,
    at DATETIME(6) NOT NULL,
    environment VARCHAR(64) NOT NULL,
    measure VARCHAR(80) NOT NULL,
    n BIGINT NOT NULL,
    total DOUBLE NOT NULL,
    most DOUBLE NOT NULL,
    PRIMARY KEY (span, environment, at, measure)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- How far attempts are added up; the row is locked while more are.
INSERT INTO setting (name, value) VALUES ('trend', '')

-- The newest attempts, as they are added up.
ALTER TABLE attempt ADD KEY k_ended (ended_at)

-- What the last VERIFY of each module found on each target.
CREATE TABLE verified (
    target VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    task BIGINT NOT NULL,
    at DATETIME(6) NOT NULL,
    drifted TINYINT NOT NULL,
    reason TEXT,
    PRIMARY KEY (target, url),
    KEY k_drifted (target, drifted, url),
    KEY k_verified_at (target, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin

-- The newest publication of a target.
ALTER TABLE publication ADD KEY k_newest (target, id)

-- How long the running step has taken; an engine of an older program does not say.
ALTER TABLE progress ADD COLUMN seconds DOUBLE NOT NULL DEFAULT 0
