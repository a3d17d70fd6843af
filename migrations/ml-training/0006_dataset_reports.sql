-- A dataset never changes, so its report is worked out once.
CREATE TABLE training_dataset_reports (
    tenant_id uuid NOT NULL,
    dataset_id uuid PRIMARY KEY,
    -- Of the report's meaning; one of another version is worked out again.
    version integer NOT NULL,
    report jsonb NOT NULL,
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE training_dataset_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE training_dataset_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON training_dataset_reports
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
