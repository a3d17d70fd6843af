-- From where something was changed: the client's address and program, as the gateway saw them. Entries without them are hashed
-- as before.

ALTER TABLE audit_logs ADD COLUMN address text, ADD COLUMN agent text;

CREATE INDEX audit_logs_by_time ON audit_logs (occurred_at);
CREATE INDEX audit_logs_by_actor ON audit_logs (actor, seq);

-- The text of an entry that is hashed: a JSON array of every column, times as UTC text with microseconds. Exports carry it, so that
-- a chain can be checked without a database.
CREATE FUNCTION audit_canonical(entry audit_logs) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT (jsonb_build_array(
        entry.seq, to_char(entry.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.actor, entry.action, entry.entity, entry.entity_id, entry.details, entry.request_id)
        || CASE WHEN entry.address IS NULL AND entry.agent IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(entry.address, entry.agent) END)::text
$$;

CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.occurred_at := clock_timestamp();
    NEW.previous_hash := head.hash;
    NEW.hash := sha256(NEW.previous_hash || convert_to(audit_canonical(NEW), 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION audit_first_break() RETURNS bigint LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    expected_seq bigint := 0;
    expected_hash bytea := '\x';
    link audit_logs;
    head audit_head;
BEGIN
    FOR link IN SELECT * FROM audit_logs ORDER BY seq LOOP
        expected_seq := expected_seq + 1;
        IF link.seq <> expected_seq OR link.previous_hash <> expected_hash
            OR link.hash <> sha256(link.previous_hash || convert_to(audit_canonical(link), 'UTF8'))
        THEN
            RETURN expected_seq;
        END IF;
        expected_hash := link.hash;
    END LOOP;
    SELECT * INTO STRICT head FROM audit_head;
    IF head.seq <> expected_seq OR head.hash <> expected_hash THEN
        RETURN expected_seq + 1;
    END IF;
    RETURN NULL;
END
$$;
