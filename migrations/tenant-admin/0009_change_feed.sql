-- The change feed: what other services may have remembered and must ask for anew. A change writes its rows in its own transaction.
-- Numbers are given afterwards, to what has been committed, one numbering at a time: rows become visible in the order of their
-- number, and a transaction that is open for long keeps nobody else's rows back.

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

CREATE FUNCTION tell_tenant() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO changes (kind, tenant_id, subject) VALUES ('tenant', NEW.id, NEW.subdomain);
    IF TG_OP = 'UPDATE' AND OLD.subdomain <> NEW.subdomain THEN
        INSERT INTO changes (kind, tenant_id, subject) VALUES ('tenant', OLD.id, OLD.subdomain);
    END IF;
    PERFORM pg_notify('tenant_admin.changes', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_created AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION tell_tenant();
-- What TenantSummary says of a tenant.
CREATE TRIGGER tell_changed AFTER UPDATE ON tenants FOR EACH ROW
    WHEN ((OLD.name, OLD.subdomain, OLD.plan, OLD.is_active) IS DISTINCT FROM
        (NEW.name, NEW.subdomain, NEW.plan, NEW.is_active))
    EXECUTE FUNCTION tell_tenant();

-- For the triggers of tenants' own tables, which act as the tenant's role and may not write here. The schema holds this one function,
-- which nobody can call: which tenant it speaks of follows from the table that it is a trigger of.
CREATE SCHEMA erm_changes;
GRANT USAGE ON SCHEMA erm_changes TO PUBLIC;

-- Arguments: the kind; for a trigger of rows, the column that says what has changed.
CREATE FUNCTION erm_changes.tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = tenant_admin, pg_temp AS $$
DECLARE
    tenant uuid;
    subject text;
BEGIN
    SELECT t.id INTO tenant FROM tenants t WHERE t.schema_name = TG_TABLE_SCHEMA;
    -- The template and schemas made ahead are no tenant's.
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF TG_LEVEL = 'ROW' AND TG_NARGS > 1 THEN
        IF TG_OP = 'DELETE' THEN
            subject := to_jsonb(OLD) ->> TG_ARGV[1];
        ELSE
            subject := to_jsonb(NEW) ->> TG_ARGV[1];
        END IF;
    END IF;
    INSERT INTO changes (kind, tenant_id, subject) VALUES (TG_ARGV[0], tenant, subject);
    PERFORM pg_notify('tenant_admin.changes', '');
    RETURN NULL;
END
$$;
