-- The same hash by the same text as audit_canonical gives, which is not called: whoever calls a function by its name makes a backend
-- look through the functions of that name of all tenants' schemas, and the first entries of a new tenant waited for that (10 ms with
-- 5,000 tenants).
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.occurred_at := clock_timestamp();
    NEW.previous_hash := head.hash;
    NEW.hash := sha256(NEW.previous_hash || convert_to((jsonb_build_array(
        NEW.seq, to_char(NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.actor, NEW.action, NEW.entity, NEW.entity_id, NEW.details, NEW.request_id)
        || CASE WHEN NEW.address IS NULL AND NEW.agent IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(NEW.address, NEW.agent) END)::text, 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END
$$;
