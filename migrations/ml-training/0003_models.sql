-- The registry: every model a job produced, its artefact, and the whole history of what was deployed when.

-- One row per tenant; locking it orders everything that numbers or deploys the tenant's models.
CREATE TABLE registries (
    tenant_id uuid PRIMARY KEY,
    last_version integer NOT NULL DEFAULT 0
);

CREATE TABLE models (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL UNIQUE,
    dataset_id uuid NOT NULL,
    model_name text NOT NULL,
    model_type text NOT NULL,
    -- The winning candidate.
    kind text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    status text NOT NULL CHECK (status IN ('training', 'trained', 'validated', 'deployed', 'archived')),
    -- Whether it passed its gates: what `status` goes back to when another model takes over.
    passed_gates boolean NOT NULL,
    accuracy_score double precision,
    precision_score double precision,
    recall_score double precision,
    f1_score double precision,
    metrics jsonb NOT NULL,
    card text NOT NULL,
    hyperparameters jsonb NOT NULL,
    artifact_sha256 text NOT NULL CHECK (artifact_sha256 ~ '^[0-9a-f]{64}$'),
    artifact_bytes bigint NOT NULL CHECK (artifact_bytes > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    deployed_at timestamptz,
    archived_at timestamptz,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, version),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id)
);
CREATE UNIQUE INDEX models_one_deployed_per_tenant ON models (tenant_id) WHERE status = 'deployed';

ALTER TABLE jobs ADD FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE model_artifact_chunks (
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    content bytea NOT NULL,
    PRIMARY KEY (model_id, ordinal),
    FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    -- The model it took over from.
    replaces uuid,
    reason text NOT NULL CHECK (reason IN ('deploy', 'rollback')),
    -- Deployed although it had not passed its gates.
    forced boolean NOT NULL,
    deployed_by text NOT NULL,
    deployed_at timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id),
    FOREIGN KEY (tenant_id, replaces) REFERENCES models (tenant_id, id)
);
CREATE INDEX deployments_newest ON deployments (tenant_id, id DESC);

ALTER TABLE registries ENABLE ROW LEVEL SECURITY;
ALTER TABLE registries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registries
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE models ENABLE ROW LEVEL SECURITY;
ALTER TABLE models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON models
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE model_artifact_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_artifact_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON model_artifact_chunks
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE deployments ENABLE ROW LEVEL SECURITY;
ALTER TABLE deployments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON deployments
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
