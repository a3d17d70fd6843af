-- Counts a user's passwords: what the gateway gave out under an earlier one is worth nothing any more.
ALTER TABLE users ADD COLUMN credential_version integer NOT NULL DEFAULT 1 CHECK (credential_version > 0);

-- By a trigger, so that no way of setting a password can forget it. The same password hashed anew, with today's parameters,
-- ends no session: whoever does that says so by `SET LOCAL erm.same_password = 'yes'`.
CREATE FUNCTION users_count_password() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('erm.same_password', true) IS DISTINCT FROM 'yes' THEN
        NEW.credential_version := OLD.credential_version + 1;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER users_count_password BEFORE UPDATE ON users
    FOR EACH ROW WHEN (NEW.password_hash IS DISTINCT FROM OLD.password_hash) EXECUTE FUNCTION users_count_password();
