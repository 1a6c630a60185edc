-- Lets the server itself refuse to change or delete what is in the audit log, whoever asks. Optional; run it as an administrator:
--     sed -e 's/DATABASE/ocw/g' mysql-audit-guard.sql | mysql
-- Where the binary log is on, making a trigger needs the right SUPER or log_bin_trust_function_creators, which is why
-- `slipway db upgrade` does not do it.

CREATE OR REPLACE TRIGGER DATABASE.audit_rows_stay BEFORE DELETE ON DATABASE.audit FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is never shortened';

CREATE OR REPLACE TRIGGER DATABASE.audit_rows_stay_as_they_are BEFORE UPDATE ON DATABASE.audit FOR EACH ROW
    SET NEW.hash = IF(OLD.hash IS NULL, NEW.hash, (SELECT 'a sealed row of the audit log never changes' FROM DATABASE.audit));
