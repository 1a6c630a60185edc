-- The right to call it goes with the procedure: run deploy/mysql-accounts.sql again after this.
DROP PROCEDURE IF EXISTS schedule_implicit_module

-- The call that old scripts make: 1 = staging, 3 = production; any other code becomes a REJECTED row that says so.
-- One statement, so that this text runs in any client without DELIMITER.
CREATE PROCEDURE schedule_implicit_module(IN module_url TEXT, IN environment_code INT, IN user_name TEXT, IN remark TEXT)
    MODIFIES SQL DATA SQL SECURITY INVOKER
    INSERT INTO publication_task_queue (url, environment, parameters, requested_by, note) VALUES (module_url,
        CASE environment_code WHEN 1 THEN 'STAGING' WHEN 3 THEN 'PRODUCTION' ELSE CONCAT('code ', COALESCE(environment_code, 'NULL')) END,
        CONCAT('{"code": ', COALESCE(environment_code, 'null'), '}'), user_name, NULLIF(remark, ''))
