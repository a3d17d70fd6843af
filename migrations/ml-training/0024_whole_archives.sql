-- A tenant that was restored from an archive keeps the ids of its datasets, jobs and models, and the tenant of the archive may be
-- here, too: an id is one tenant's, by the constraints UNIQUE (tenant_id, id). Every reference names the tenant, so that no id in
-- an archive leads to another tenant's row.
ALTER TABLE training_datasets DROP CONSTRAINT training_datasets_pkey;
ALTER TABLE jobs DROP CONSTRAINT jobs_pkey;
ALTER TABLE models
    DROP CONSTRAINT models_pkey,
    DROP CONSTRAINT models_job_id_key,
    ADD UNIQUE (tenant_id, job_id);
ALTER TABLE training_dataset_chunks
    DROP CONSTRAINT training_dataset_chunks_pkey,
    ADD PRIMARY KEY (tenant_id, dataset_id, ordinal);
ALTER TABLE training_dataset_outcomes
    DROP CONSTRAINT training_dataset_outcomes_pkey,
    ADD PRIMARY KEY (tenant_id, dataset_id);
ALTER TABLE model_artifact_chunks
    DROP CONSTRAINT model_artifact_chunks_pkey,
    ADD PRIMARY KEY (tenant_id, model_id, ordinal);
ALTER TABLE backtests
    DROP CONSTRAINT backtests_pkey,
    ADD PRIMARY KEY (tenant_id, job_id);
ALTER TABLE shadows
    DROP CONSTRAINT shadows_pkey,
    ADD PRIMARY KEY (tenant_id, model_id);

-- Likewise. Nodes of the former release name the key of `training_progress` and of `training_dataset_reports` in their statements,
-- so these two stay as they are: restored epochs stand beside the first, and reports are worked out anew into a table of their own.
CREATE TABLE restored_progress (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    -- Rows of `training_progress` without tenant and job.
    epochs jsonb NOT NULL,
    PRIMARY KEY (tenant_id, job_id),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);
CREATE VIEW job_epochs AS
    SELECT tenant_id, job_id, epoch, loss, val_loss, accuracy, val_accuracy, learning_rate, timestamp FROM training_progress
    UNION ALL
    SELECT r.tenant_id, r.job_id, e.epoch, e.loss, e.val_loss, e.accuracy, e.val_accuracy, e.learning_rate, e.timestamp
    FROM restored_progress r, jsonb_populate_recordset(NULL::training_progress, r.epochs) e;

CREATE TABLE dataset_reports (
    tenant_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    -- Of the report's meaning; one of another version is worked out again.
    version integer NOT NULL,
    report jsonb NOT NULL,
    PRIMARY KEY (tenant_id, dataset_id),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id) ON DELETE CASCADE
);

-- Models of an archive whose artefact has not come whole yet. None of them can be seen, deployed or served.
CREATE TABLE restored_models (
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    -- The row of `models` without the tenant.
    record jsonb NOT NULL,
    PRIMARY KEY (tenant_id, model_id)
);

-- Pieces of files of an archive, until what they are pieces of is whole and has its digest.
CREATE TABLE restored_pieces (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    owner text NOT NULL,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    piece integer NOT NULL CHECK (piece >= 0),
    content bytea NOT NULL,
    PRIMARY KEY (tenant_id, kind, owner, ordinal, piece)
);

ALTER TABLE restored_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE restored_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON restored_progress
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
ALTER TABLE dataset_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE dataset_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON dataset_reports
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
ALTER TABLE restored_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE restored_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON restored_models
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
ALTER TABLE restored_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE restored_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON restored_pieces
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
