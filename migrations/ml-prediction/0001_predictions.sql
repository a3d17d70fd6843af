-- Every prediction that was ever answered, with what came of it. Rows of many tenants: row-level security is forced for
-- the owner too, and without the setting erm.tenant_id (SET LOCAL in each unit of work) nothing is visible.

CREATE TABLE predictions (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    model_version integer NOT NULL,
    model_kind text NOT NULL,
    employee_id uuid NOT NULL,
    project_id uuid NOT NULL,
    -- The request as it came, and the answer as it went.
    input_data jsonb NOT NULL,
    prediction_result jsonb NOT NULL,
    -- Percent: calibrated probability that the actual hours lie within 25 % of the estimate.
    confidence_score double precision,
    estimated_hours double precision NOT NULL,
    planned_hours double precision,
    success_probability double precision,
    -- {"actualHours": …, "completedAt": …}
    actual_result jsonb,
    actual_hours double precision CHECK (actual_hours > 0),
    feedback_score smallint CHECK (feedback_score BETWEEN 1 AND 5),
    feedback_comment text,
    requested_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    UNIQUE (tenant_id, id)
);
CREATE INDEX predictions_newest ON predictions (tenant_id, created_at DESC, id DESC);
CREATE INDEX predictions_by_model ON predictions (tenant_id, model_id, created_at);

CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL,
    subject text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (tenant_id, created_at);

-- A day's figures of one model, worked out from `predictions` (a day is a UTC day).
CREATE TABLE model_metrics (
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    metric_date date NOT NULL,
    predictions_count bigint NOT NULL,
    -- Percent.
    avg_confidence double precision,
    -- Percent of the predictions with a known outcome whose actual hours lay within 25 % of the estimate: what
    -- confidence promised.
    avg_accuracy double precision,
    -- The success event, forecast as such from a probability of 0.5.
    true_positives bigint NOT NULL,
    true_negatives bigint NOT NULL,
    false_positives bigint NOT NULL,
    false_negatives bigint NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (model_id, metric_date),
    CHECK (predictions_count >= true_positives + true_negatives + false_positives + false_negatives)
);
CREATE INDEX model_metrics_by_day ON model_metrics (tenant_id, metric_date DESC, model_id);

ALTER TABLE predictions ENABLE ROW LEVEL SECURITY;
ALTER TABLE predictions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON predictions
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE model_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON model_metrics
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
