-- When the process began, in clock ticks since the boot, and the protocol it works with. An engine of an older program notes neither.
ALTER TABLE engine ADD COLUMN began BIGINT NOT NULL DEFAULT 0, ADD COLUMN protocol INT NOT NULL DEFAULT 1
