-- Whoever is deactivated has no session any more, also when they are active again: what was given out before is worth nothing.
-- By a trigger, so that no way of deactivating a user can forget it.
CREATE FUNCTION users_end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.credential_version := OLD.credential_version + 1;
    RETURN NEW;
END
$$;

CREATE TRIGGER users_end_sessions BEFORE UPDATE ON users
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION users_end_sessions();

-- Those who are inactive now would get their old sessions back, too.
UPDATE users SET credential_version = credential_version + 1 WHERE NOT is_active;
