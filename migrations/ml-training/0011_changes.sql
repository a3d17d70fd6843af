-- The change feed of deployments, as tenant-admin has one (migrations/tenant-admin/0009_change_feed.sql): which model answers for a
-- tenant is remembered by ml-prediction, and asked for anew when it is told here.

CREATE TABLE changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL until it is numbered.
    number bigint,
    -- Makes a position (number, token) true or false: of two histories that went apart, as after a restore, the same number has
    -- another token in each. The next row says which token it follows.
    token uuid,
    follows uuid,
    kind text NOT NULL,
    tenant_id uuid NOT NULL,
    -- What of the tenant has changed; NULL: all of that kind.
    subject text,
    told_at timestamptz,
    CONSTRAINT changes_number_key UNIQUE (number),
    CONSTRAINT changes_whole CHECK (num_nulls(number, token, follows, told_at) IN (0, 4))
);

CREATE INDEX changes_waiting ON changes (id) WHERE number IS NULL;
CREATE INDEX changes_by_age ON changes (told_at);

-- The newest number given. Who numbers locks it until the numbers are visible.
CREATE TABLE change_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    number bigint NOT NULL,
    token uuid NOT NULL
);

INSERT INTO change_head (number, token) VALUES (0, gen_random_uuid());

ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON changes USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- The feed tells of all tenants.
CREATE POLICY feed ON changes USING (current_setting('erm.changes', true) = 'all');
ALTER TABLE change_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE change_head FORCE ROW LEVEL SECURITY;
CREATE POLICY feed ON change_head USING (current_setting('erm.changes', true) = 'all');

CREATE FUNCTION number_changes() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    head change_head;
BEGIN
    SELECT * INTO STRICT head FROM change_head FOR UPDATE;
    -- A statement of its own, which sees what was committed while the lock was waited for. Rows of a tenant that is being purged are
    -- locked, and nobody's news any more.
    WITH waiting AS (
        SELECT id FROM changes WHERE number IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
    ), placed AS MATERIALIZED (
        SELECT id, head.number + row_number() OVER (ORDER BY id) AS number, gen_random_uuid() AS token FROM waiting
    ), chained AS (
        SELECT id, number, token, coalesce(lag(token) OVER (ORDER BY number), head.token) AS follows FROM placed
    ), told AS (
        UPDATE changes c
        SET number = chained.number, token = chained.token, follows = chained.follows, told_at = clock_timestamp()
        FROM chained WHERE c.id = chained.id RETURNING c.number, c.token
    )
    UPDATE change_head h SET number = newest.number, token = newest.token
    FROM (SELECT told.number, told.token FROM told ORDER BY told.number DESC LIMIT 1) newest;
END
$$;

CREATE FUNCTION tell_deployment() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO changes (kind, tenant_id) VALUES ('deployment', NEW.tenant_id);
    PERFORM pg_notify('ml_training.changes', '');
    RETURN NULL;
END
$$;

-- Models and deployments are removed with their whole tenant only.
CREATE TRIGGER tell_deployed AFTER INSERT OR UPDATE ON deployments FOR EACH ROW EXECUTE FUNCTION tell_deployment();
CREATE TRIGGER tell_changed AFTER UPDATE ON models FOR EACH ROW
    WHEN ((OLD.status, OLD.artifact_sha256) IS DISTINCT FROM (NEW.status, NEW.artifact_sha256))
    EXECUTE FUNCTION tell_deployment();
