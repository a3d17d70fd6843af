-- A dataset is what one job learned from: written once, never changed, verified by its digest whenever it is read.
-- Every table here holds rows of many tenants, so row-level security is forced for the owner too. Without the setting
-- erm.tenant_id (SET LOCAL in each unit of work) nothing is visible.

CREATE TABLE training_datasets (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    dataset_name text NOT NULL,
    -- Training points: completed allocations inside the span.
    row_count bigint NOT NULL CHECK (row_count >= 0),
    feature_count integer NOT NULL CHECK (feature_count >= 0),
    feature_schema integer NOT NULL,
    -- Over the chunks' lines in order; the same history gives the same digest.
    content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    line_count bigint NOT NULL CHECK (line_count >= 0),
    span_start timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, id)
);
CREATE INDEX training_datasets_newest ON training_datasets (tenant_id, created_at DESC, id DESC);

CREATE TABLE training_dataset_chunks (
    tenant_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    line_count integer NOT NULL CHECK (line_count > 0),
    -- NDJSON, UTF-8.
    content bytea NOT NULL,
    PRIMARY KEY (dataset_id, ordinal),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE training_datasets ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_datasets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_datasets
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE training_dataset_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_dataset_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_dataset_chunks
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

-- Immutable for the service itself too. Only deletion (of a tenant, of old data) remains.
CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER immutable BEFORE UPDATE ON training_datasets FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON training_dataset_chunks FOR EACH ROW EXECUTE FUNCTION refuse_update();
