-- The two accounts of Slipway's queue, for MySQL 8 and MariaDB. Run it as an administrator, after the schema is there
-- (`slipway db upgrade --sql` prints it), with the names and passwords changed:
--     sed -e 's/DATABASE/ocw/g; s/ENGINE_PASSWORD/.../; s/OPERATOR_PASSWORD/.../' mysql-accounts.sql | mysql

CREATE USER IF NOT EXISTS 'slipway'@'%' IDENTIFIED BY 'ENGINE_PASSWORD';
CREATE USER IF NOT EXISTS 'slipway_operator'@'%' IDENTIFIED BY 'OPERATOR_PASSWORD';

-- The daemon and the engines: rows of every table, and nothing of the schema.
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON DATABASE.* TO 'slipway'@'%';

-- Operators: look at everything, insert requests, and change what is theirs to change. A state is never changed by hand:
-- a rerun is a new row, an approval is a row with the action APPROVE.
GRANT SELECT ON DATABASE.* TO 'slipway_operator'@'%';
GRANT INSERT (url, environment, action, priority, run_after, parameters, requested_by, note, hold, cancel_requested, max_attempts),
      UPDATE (hold, cancel_requested, priority, run_after)
      ON DATABASE.publication_task_queue TO 'slipway_operator'@'%';
-- What they do by the command is written to the audit log under their account; a row there is never changed by them, nor dated.
GRANT INSERT (kind, who, task, environment, target, url, fence, document) ON DATABASE.audit TO 'slipway_operator'@'%';
GRANT EXECUTE ON PROCEDURE DATABASE.schedule_implicit_module TO 'slipway_operator'@'%';
