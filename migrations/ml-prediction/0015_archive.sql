-- A prediction that was restored from an archive keeps its id, and the tenant of the archive may be here, too: an id is one
-- tenant's, by the constraint UNIQUE (tenant_id, id).
ALTER TABLE predictions DROP CONSTRAINT predictions_pkey;

-- Likewise a model's day. `model_metrics` stays for nodes of the former release, whose figures it has; all of them are worked
-- out anew from predictions.
CREATE TABLE daily_model_metrics (
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    metric_date date NOT NULL,
    predictions_count bigint NOT NULL,
    -- Percent.
    avg_confidence double precision,
    -- As in `model_metrics`.
    avg_accuracy double precision,
    true_positives bigint NOT NULL,
    true_negatives bigint NOT NULL,
    false_positives bigint NOT NULL,
    false_negatives bigint NOT NULL,
    outcomes_count bigint NOT NULL,
    mean_absolute_error double precision,
    -- Percent.
    coverage80 double precision,
    computed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, model_id, metric_date),
    CHECK (predictions_count >= true_positives + true_negatives + false_positives + false_negatives)
);
CREATE INDEX daily_model_metrics_by_day ON daily_model_metrics (tenant_id, metric_date DESC, model_id);

ALTER TABLE daily_model_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE daily_model_metrics FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON daily_model_metrics
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
