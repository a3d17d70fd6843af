CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    name         text NOT NULL,
    digest       bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    -- Names of the tenant's roles; what they grant is asked of tenant-admin at each use.
    roles        text[] NOT NULL CHECK (cardinality(roles) > 0),
    -- The maker as the assertion's subject: a user's id or api-key:<id>.
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at   timestamptz,
    last_used_at timestamptz
);

CREATE INDEX api_keys_listing ON api_keys (tenant_id, created_at, id) WHERE revoked_at IS NULL;
