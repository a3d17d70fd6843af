-- Up to which migration each tenant's schema is, so that a rollout looks at those only that are behind, and a request knows
-- whether its tenant has what the code needs. 0 is unknown: looked at once.
ALTER TABLE tenants ADD COLUMN schema_version integer NOT NULL DEFAULT 0;

CREATE INDEX tenants_by_schema_version ON tenants (schema_version);

-- Schemas that are made before anybody asks for a tenant, with the role of the tenant to come.
CREATE TABLE ready_schemas (
    -- The tenant's id to be.
    id uuid PRIMARY KEY,
    schema_name text NOT NULL,
    schema_version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ready_schemas_schema_name_key UNIQUE (schema_name)
);
