-- Which services have removed a purged tenant's rows, and when first. What requests under way have written after that is found the next
-- time: a service's part (purge_confirmations) is done once it has found nothing and no such request can be left.
CREATE TABLE purge_removals (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    service text NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, service)
);
