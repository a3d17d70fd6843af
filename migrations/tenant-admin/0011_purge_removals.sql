-- When each service has found something of a purged tenant last, or has looked for the first time. What requests under way have written
-- after that is found the next time: the service's part (purge_confirmations) is done once it has found nothing for a while.
CREATE TABLE purge_removals (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    service text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, service)
);
