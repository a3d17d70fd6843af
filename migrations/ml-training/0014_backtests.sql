-- A back-test waits, is leased and is cancelled as a job of the model type `backtest`; what it is asked and what it comes to
-- stand here. Its job waits with `not_before` infinity, which only workers that know back-tests pass over: one of an earlier
-- release would train a model instead.
CREATE TABLE backtests (
    tenant_id uuid NOT NULL,
    job_id uuid PRIMARY KEY,
    span_from timestamptz NOT NULL,
    span_to timestamptz NOT NULL,
    refits integer NOT NULL CHECK (refits BETWEEN 1 AND 24),
    with_plan boolean NOT NULL,
    card text,
    report jsonb,
    CHECK (span_from < span_to),
    FOREIGN KEY (tenant_id, job_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE backtests ENABLE ROW LEVEL SECURITY;
ALTER TABLE backtests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON backtests
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
