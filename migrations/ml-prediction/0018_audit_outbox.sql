-- What was changed for a tenant, on its way to the tenant's audit log, which tenant-admin keeps: written with the change itself,
-- and removed once tenant-admin has it.
CREATE TABLE audit_outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    note jsonb NOT NULL,
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_outbox_due ON audit_outbox (next_attempt_at);

ALTER TABLE audit_outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_outbox
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- Delivering is done across tenants.
CREATE POLICY delivery ON audit_outbox
    USING (current_setting('erm.queue', true) = 'audit');
