-- What a model was asked with: four bytes for each feature, whose names are kept once for all predictions that have them.
CREATE TABLE feature_sets (
    tenant_id uuid NOT NULL,
    -- SHA-256 of the names.
    digest bytea NOT NULL,
    names jsonb NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

ALTER TABLE feature_sets ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_sets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feature_sets
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

ALTER TABLE predictions
    ADD COLUMN features bytea,
    ADD COLUMN feature_set bytea,
    -- Per department, those asked about, considered and proposed: {"<department or empty>": [asked, considered, proposed]}.
    ADD COLUMN selection jsonb,
    -- What people made of it.
    ADD COLUMN decision text CHECK (decision IN ('accepted', 'changed', 'rejected')),
    ADD COLUMN decision_instead jsonb,
    ADD COLUMN decision_reason text,
    ADD COLUMN decided_by text,
    ADD COLUMN decided_at timestamptz,
    -- Of what was decided on instead, only what is not as it was asked.
    ADD COLUMN instead_employee_id uuid,
    ADD COLUMN instead_department_id uuid,
    ADD COLUMN instead_project_id uuid,
    ADD COLUMN instead_planned_hours double precision,
    ADD COLUMN instead_estimated_hours double precision,
    -- What came of it, where person, project or plan are others: {"actualHours": …, "completedAt": …}
    ADD COLUMN instead_actual jsonb,
    ADD COLUMN instead_actual_hours double precision CHECK (instead_actual_hours > 0);

-- Lists and exports of one person's or one project's predictions, and of the decided ones.
CREATE INDEX predictions_by_employee ON predictions (tenant_id, employee_id, created_at DESC, id DESC);
CREATE INDEX predictions_by_project ON predictions (tenant_id, project_id, created_at DESC, id DESC);
CREATE INDEX predictions_decided ON predictions (tenant_id, created_at DESC, id DESC) WHERE decision IS NOT NULL;
