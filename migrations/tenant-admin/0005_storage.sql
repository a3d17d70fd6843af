-- What a tenant's rows took when they were measured last: requests are refused by this figure, not by one that is measured
-- while they wait.
ALTER TABLE tenants ADD COLUMN storage_bytes bigint NOT NULL DEFAULT 0 CHECK (storage_bytes >= 0);

UPDATE tenants t SET storage_bytes = u.storage_used_mb * 1e6
FROM (SELECT DISTINCT ON (tenant_id) tenant_id, storage_used_mb FROM tenant_usage ORDER BY tenant_id, usage_date DESC) u
WHERE u.tenant_id = t.id;
