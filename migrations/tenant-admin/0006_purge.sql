-- From deletion to purge: after the days to restore nothing of a tenant is left anywhere.
ALTER TABLE tenants
    -- From here on it cannot be restored; each service removes what it has of the tenant.
    ADD COLUMN purge_started_at timestamptz,
    -- When what is kept for a time only was last removed.
    ADD COLUMN swept_at timestamptz,
    ADD CONSTRAINT tenants_purged_when_deleted CHECK (purge_started_at IS NULL OR deleted_at IS NOT NULL);

CREATE INDEX tenants_deleted ON tenants (deleted_at) WHERE deleted_at IS NOT NULL;

-- Services that have nothing of the tenant any more.
CREATE TABLE purge_confirmations (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    service text NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, service)
);
