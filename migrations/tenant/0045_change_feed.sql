-- What other services remember of this tenant is told to them when it changes (migrations/tenant-admin/0009_change_feed.sql). By
-- triggers, so that no way of changing can forget it.

CREATE TRIGGER tell_gone AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION erm_changes.tell('user', 'id');
CREATE TRIGGER tell_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION erm_changes.tell('user', 'id');
CREATE TRIGGER tell_roles AFTER INSERT OR UPDATE OR DELETE ON user_roles
    FOR EACH ROW EXECUTE FUNCTION erm_changes.tell('user', 'user_id');
CREATE TRIGGER tell_changed AFTER INSERT OR UPDATE OR DELETE ON roles
    FOR EACH STATEMENT EXECUTE FUNCTION erm_changes.tell('roles');

-- Once for each transaction that changes what the history feed tells; and for the time zone, in which its days are.
CREATE TRIGGER tell_history AFTER INSERT OR UPDATE ON feed_commits FOR EACH ROW
    WHEN (NEW.number IS NULL) EXECUTE FUNCTION erm_changes.tell('history');
CREATE TRIGGER tell_history AFTER INSERT OR UPDATE OR DELETE ON tenant_settings
    FOR EACH STATEMENT EXECUTE FUNCTION erm_changes.tell('history');
