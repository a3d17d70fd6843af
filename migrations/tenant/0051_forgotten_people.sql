-- What was archived of another tenant's audit log may name people who are anonymised or deleted here: names, addresses and external ids
-- are then taken out of these lines. Nothing else changes one, and nothing removes one.
DROP TRIGGER archived_audit_logs_append_only ON archived_audit_logs;
CREATE TRIGGER archived_audit_logs_append_only BEFORE DELETE OR TRUNCATE ON archived_audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER archived_audit_logs_unchanged BEFORE UPDATE ON archived_audit_logs
    FOR EACH STATEMENT WHEN (current_setting('erm.forgets_person', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION audit_refuse();
