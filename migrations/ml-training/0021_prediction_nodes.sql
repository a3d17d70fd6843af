-- The nodes of ml-prediction that are alive, what each answers a tenant with, and the deployments that somebody waits for.
CREATE TABLE prediction_nodes (
    id uuid PRIMARY KEY,
    -- Host name and port.
    name text NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE TABLE prediction_node_models (
    node_id uuid NOT NULL REFERENCES prediction_nodes (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('serving', 'refused')),
    reason text,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (node_id, tenant_id)
);

CREATE TABLE awaited_deployments (
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, model_id)
);

-- Nodes answer all tenants.
ALTER TABLE prediction_nodes ENABLE ROW LEVEL SECURITY;
ALTER TABLE prediction_nodes FORCE ROW LEVEL SECURITY;
CREATE POLICY nodes ON prediction_nodes
    USING (current_setting('erm.queue', true) = 'nodes');

ALTER TABLE prediction_node_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE prediction_node_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON prediction_node_models
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
CREATE POLICY nodes ON prediction_node_models
    USING (current_setting('erm.queue', true) = 'nodes');

ALTER TABLE awaited_deployments ENABLE ROW LEVEL SECURITY;
ALTER TABLE awaited_deployments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON awaited_deployments
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
CREATE POLICY nodes ON awaited_deployments
    USING (current_setting('erm.queue', true) = 'nodes');
