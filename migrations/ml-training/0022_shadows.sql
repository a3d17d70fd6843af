-- A scheduled model's time beside the deployed one: both answer, and what comes true of both decides.
CREATE TABLE shadows (
    model_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    incumbent_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'deployed', 'refused', 'ended')),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    least_days integer NOT NULL CHECK (least_days BETWEEN 1 AND 180),
    least_outcomes integer NOT NULL CHECK (least_outcomes BETWEEN 1 AND 10000),
    -- Whether the two were compared when the model was trained, on tasks new to both, and that spoke for the model.
    is_favoured boolean NOT NULL,
    -- Who decides, for the audit log.
    decides text NOT NULL,
    -- What the nodes of ml-prediction reported last.
    figures jsonb,
    decided_at timestamptz,
    -- In words, once it is decided.
    note text,
    CHECK ((state = 'running') = (decided_at IS NULL)),
    FOREIGN KEY (tenant_id, model_id) REFERENCES models (tenant_id, id),
    FOREIGN KEY (tenant_id, incumbent_id) REFERENCES models (tenant_id, id)
);
CREATE UNIQUE INDEX shadows_one_running_per_tenant ON shadows (tenant_id) WHERE state = 'running';
CREATE INDEX shadows_newest ON shadows (tenant_id, started_at DESC);

ALTER TABLE shadows ENABLE ROW LEVEL SECURITY;
ALTER TABLE shadows FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shadows
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

-- ml-prediction must know which model answers beside the deployed one.
CREATE TRIGGER tell_shadow AFTER INSERT OR UPDATE OF state ON shadows FOR EACH ROW EXECUTE FUNCTION tell_deployment();

ALTER TABLE training_schedules ADD COLUMN shadow_days integer NOT NULL DEFAULT 14 CHECK (shadow_days BETWEEN 0 AND 180);
ALTER TABLE training_schedules ADD COLUMN shadow_outcomes integer NOT NULL DEFAULT 50
    CHECK (shadow_outcomes BETWEEN 20 AND 10000);
