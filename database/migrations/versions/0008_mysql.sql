-- How it can be told that nobody has touched a module since it was published: what its source had, and a mark of the target's.
-- Whoever takes away what a lost engine had begun empties it.
CREATE TABLE seal (
    target VARCHAR(64) NOT NULL,
    url VARCHAR(600) NOT NULL,
    version VARBINARY(32) NOT NULL,
    serial BIGINT NOT NULL,
    source VARCHAR(64) NOT NULL,
    seen VARCHAR(64) NOT NULL,
    mark TEXT NOT NULL,
    files INT NOT NULL,
    PRIMARY KEY (target, url)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
