-- The durable queue. A worker holds a job by a lease that it renews; `attempts` is the fencing number: it grows with each
-- claim, and every write of a worker names the attempt it was given, so that one whose lease was taken can write nothing.

CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    stage text NOT NULL DEFAULT 'waiting for a worker',
    model_type text NOT NULL,
    months integer NOT NULL CHECK (months BETWEEN 1 AND 240),
    epochs integer NOT NULL CHECK (epochs BETWEEN 10 AND 1000),
    seed bigint NOT NULL CHECK (seed >= 0),
    as_of timestamptz NOT NULL,
    requested_by text NOT NULL,

    attempts integer NOT NULL DEFAULT 0,
    -- Claims since the job last got further (dataset or checkpoint stored): a job that kills its workers ends by this.
    fruitless_claims integer NOT NULL DEFAULT 0,
    -- Transient failures in a row.
    failures integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    worker text,
    lease_expires_at timestamptz,
    beat_at timestamptz,
    -- Time workers spent on it, for estimates and for the plan's ml_training_hours.
    busy_seconds double precision NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL DEFAULT false,

    dataset_id uuid,
    model_id uuid,
    error_code text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id),
    CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((status = 'failed') = (error IS NOT NULL))
);
CREATE INDEX jobs_newest ON jobs (tenant_id, created_at DESC, id DESC);
CREATE INDEX jobs_open ON jobs (created_at, id) WHERE status IN ('queued', 'running');

-- When a tenant last had a job taken up: the one who has waited longest is served next.
CREATE TABLE tenant_turns (
    tenant_id uuid PRIMARY KEY,
    last_claim_at timestamptz NOT NULL
);

-- What a job needs to go on where it stopped; replaced as it gets further, gone when it ends.
CREATE TABLE job_checkpoints (
    tenant_id uuid NOT NULL,
    job_id uuid PRIMARY KEY,
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE training_progress (
    tenant_id uuid NOT NULL,
    job_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    model_id uuid,
    epoch integer NOT NULL CHECK (epoch > 0),
    loss double precision NOT NULL,
    val_loss double precision,
    accuracy double precision,
    val_accuracy double precision,
    learning_rate double precision NOT NULL,
    timestamp timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- An epoch done twice, because the first worker died after reporting it, is still one row.
    PRIMARY KEY (job_id, epoch),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject, key)
);

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- The queue serves all tenants, so choosing the next job is the one thing done across them: of open jobs only, and
-- nothing of what they produce. As soon as a job is chosen its worker goes on with that tenant's setting.
CREATE POLICY queue_look ON jobs FOR SELECT
    USING (current_setting('erm.queue', true) = 'claim' AND status IN ('queued', 'running'));
CREATE POLICY queue_take ON jobs FOR UPDATE
    USING (current_setting('erm.queue', true) = 'claim' AND status IN ('queued', 'running'))
    WITH CHECK (current_setting('erm.queue', true) = 'claim' AND status = 'running');

ALTER TABLE tenant_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_turns FORCE ROW LEVEL SECURITY;
CREATE POLICY queue ON tenant_turns
    USING (current_setting('erm.queue', true) = 'claim');

ALTER TABLE job_checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_checkpoints
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE training_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_progress
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
