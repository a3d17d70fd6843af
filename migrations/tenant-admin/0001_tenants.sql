-- The tenants of this installation. Applied with search_path = tenant_admin.

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    subdomain text NOT NULL,
    -- Derived from the subdomain so that two subdomains never meet in one schema.
    schema_name text NOT NULL CHECK (octet_length(schema_name) <= 63),
    -- The NOLOGIN role that owns the schema.
    role_name text NOT NULL CHECK (octet_length(role_name) <= 63),
    plan text NOT NULL CHECK (plan IN ('starter', 'professional', 'enterprise')),
    admin_email text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    limits jsonb NOT NULL CHECK (jsonb_typeof(limits) = 'object'),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    suspended_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT tenants_subdomain_key UNIQUE (subdomain),
    CONSTRAINT tenants_schema_name_key UNIQUE (schema_name),
    CONSTRAINT tenants_role_name_key UNIQUE (role_name),
    CONSTRAINT tenants_active_means_neither CHECK (is_active = (suspended_at IS NULL AND deleted_at IS NULL))
);

CREATE INDEX tenants_by_age ON tenants (created_at, id);

CREATE TABLE tenant_usage (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    usage_date date NOT NULL,
    users_count integer NOT NULL DEFAULT 0 CHECK (users_count >= 0),
    projects_count integer NOT NULL DEFAULT 0 CHECK (projects_count >= 0),
    allocations_count integer NOT NULL DEFAULT 0 CHECK (allocations_count >= 0),
    storage_used_mb double precision NOT NULL DEFAULT 0 CHECK (storage_used_mb >= 0),
    api_calls_count bigint NOT NULL DEFAULT 0 CHECK (api_calls_count >= 0),
    ml_predictions_count bigint NOT NULL DEFAULT 0 CHECK (ml_predictions_count >= 0),
    CONSTRAINT tenant_usage_key UNIQUE (tenant_id, usage_date)
);

-- Answers already given to POSTs that carried an Idempotency-Key and concern no tenant's schema.
CREATE TABLE idempotency_keys (
    key text NOT NULL,
    actor text NOT NULL,
    request_sha256 bytea NOT NULL,
    -- NULL only inside the transaction that does the work.
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
