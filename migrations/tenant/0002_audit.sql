-- What was changed by whom: append-only and hash-chained, so that an edited or missing row is detectable.

CREATE TABLE audit_logs (
    -- 1, 2, 3 … without gaps in the order of commits: a missing number is a missing row.
    seq bigint PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    entity text NOT NULL,
    entity_id text,
    details jsonb NOT NULL DEFAULT '{}',
    request_id text,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
);

CREATE INDEX audit_logs_by_entity ON audit_logs (entity, entity_id, seq);

-- The newest link. Its row lock makes writers take turns; a removed tail shows as a difference from it.
CREATE TABLE audit_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

INSERT INTO audit_head (seq, hash) VALUES (0, '\x');

-- SHA-256 over the previous link and every column, each delimited by JSON, times as UTC text with microseconds.
CREATE FUNCTION audit_hash(
    previous bytea, seq bigint, occurred_at timestamptz, actor text, action text, entity text, entity_id text,
    details jsonb, request_id text
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        seq, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        actor, action, entity, entity_id, details, request_id)::text, 'UTF8'))
$$;

CREATE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.occurred_at := clock_timestamp();
    NEW.previous_hash := head.hash;
    NEW.hash := audit_hash(NEW.previous_hash, NEW.seq, NEW.occurred_at, NEW.actor, NEW.action, NEW.entity,
        NEW.entity_id, NEW.details, NEW.request_id);
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_logs is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_logs_link BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_link();
CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- The number of the first row that does not fit its predecessor, or the first missing one; NULL when the chain is whole.
CREATE FUNCTION audit_first_break() RETURNS bigint LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    expected_seq bigint := 0;
    expected_hash bytea := '\x';
    link audit_logs;
    head audit_head;
BEGIN
    FOR link IN SELECT * FROM audit_logs ORDER BY seq LOOP
        expected_seq := expected_seq + 1;
        IF link.seq <> expected_seq OR link.previous_hash <> expected_hash OR link.hash <> audit_hash(
            link.previous_hash, link.seq, link.occurred_at, link.actor, link.action, link.entity, link.entity_id,
            link.details, link.request_id)
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

-- The owner, too, is left without the right to rewrite.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_logs FROM CURRENT_USER;
