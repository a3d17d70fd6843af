-- When a tenant's models are trained again by themselves, and what has come since the latest was.

CREATE TABLE training_schedules (
    tenant_id uuid PRIMARY KEY,
    -- Train again so many days after the latest model's dataset.
    every_days integer CHECK (every_days BETWEEN 1 AND 365),
    -- Train again when so many outcomes have come that the latest model did not learn from.
    new_outcomes integer CHECK (new_outcomes BETWEEN 1 AND 100000),
    months integer NOT NULL CHECK (months BETWEEN 1 AND 240),
    epochs integer NOT NULL CHECK (epochs BETWEEN 10 AND 1000),
    model_type text NOT NULL,
    seed bigint CHECK (seed >= 0),
    hyperparameters jsonb NOT NULL DEFAULT '{}',
    deploy_automatically boolean NOT NULL DEFAULT false,
    set_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revision integer NOT NULL DEFAULT 1,

    -- The fencing number: it grows with each look and each change, and whoever looked writes under the number he was
    -- given, so that of two nodes that look at the same schedule one can start a job.
    looks bigint NOT NULL DEFAULT 0,
    next_look_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    looked_at timestamptz,
    -- Why the last look could not come to a decision, or a due job could not start; NULL when nothing was in the way.
    problem text,
    -- Up to where in the history feed outcomes have been counted, and for which dataset; NULL for none.
    counted_dataset uuid,
    watermark text,
    deployment_note text,
    CHECK (every_days IS NOT NULL OR new_outcomes IS NOT NULL)
);
CREATE INDEX training_schedules_next ON training_schedules (next_look_at);

-- The outcomes counted so far, each once however often the feed tells of it.
CREATE TABLE training_schedule_outcomes (
    tenant_id uuid NOT NULL REFERENCES training_schedules (tenant_id) ON DELETE CASCADE,
    allocation_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, allocation_id)
);

-- Which completed allocations a dataset holds, as sorted 64-bit fingerprints, big-endian: what a schedule must not count.
CREATE TABLE training_dataset_outcomes (
    tenant_id uuid NOT NULL,
    dataset_id uuid PRIMARY KEY,
    fingerprints bytea NOT NULL,
    -- The history feed's position when it was read; NULL when outcomes later than the dataset's as_of were left out.
    watermark text,
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE jobs ADD COLUMN origin text NOT NULL DEFAULT 'request' CHECK (origin IN ('request', 'schedule'));
CREATE INDEX jobs_scheduled ON jobs (tenant_id, created_at DESC) WHERE origin = 'schedule';

ALTER TABLE deployments DROP CONSTRAINT deployments_reason_check;
ALTER TABLE deployments ADD CONSTRAINT deployments_reason_check CHECK (reason IN ('deploy', 'rollback', 'schedule'));
-- What was said about it: by whoever deployed the model, or by the schedule.
ALTER TABLE deployments ADD COLUMN note text;
-- Who deployed what, and whether by force, is on record for good.
CREATE TRIGGER immutable BEFORE UPDATE ON deployments FOR EACH ROW EXECUTE FUNCTION refuse_update();

ALTER TABLE training_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_schedules
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- Choosing which schedule to look at is the one thing done across tenants.
CREATE POLICY scheduler_look ON training_schedules FOR SELECT
    USING (current_setting('erm.queue', true) = 'schedule');
CREATE POLICY scheduler_take ON training_schedules FOR UPDATE
    USING (current_setting('erm.queue', true) = 'schedule');

ALTER TABLE training_schedule_outcomes ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_schedule_outcomes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_schedule_outcomes
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE training_dataset_outcomes ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_dataset_outcomes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_dataset_outcomes
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
