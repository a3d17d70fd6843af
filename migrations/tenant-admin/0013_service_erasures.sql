-- What each service has yet to remove of people who were anonymised or deleted. `erasures` is that of ml-prediction alone, and nodes of
-- the former release go on writing and reading it: what they write is put here as well, and what is confirmed here is removed there.
CREATE TABLE service_erasures (
    service text NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    employee_id uuid NOT NULL,
    -- Whether the person was deleted, and not only made nameless. The former release does not say.
    is_deleted boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, tenant_id, employee_id)
);
CREATE INDEX service_erasures_by_age ON service_erasures (service, created_at);

INSERT INTO service_erasures (service, tenant_id, employee_id, is_deleted, created_at)
    SELECT 'ml-prediction', tenant_id, employee_id, false, created_at FROM erasures;

CREATE FUNCTION copy_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO service_erasures (service, tenant_id, employee_id, is_deleted)
    VALUES ('ml-prediction', NEW.tenant_id, NEW.employee_id, false) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER copy_erasure AFTER INSERT ON erasures FOR EACH ROW EXECUTE FUNCTION copy_erasure();
