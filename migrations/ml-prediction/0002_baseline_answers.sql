-- Without a deployed model the baseline answers, which is no model of the registry.
ALTER TABLE predictions ALTER COLUMN model_id DROP NOT NULL;
-- Outcomes of finished bookings are looked for among the predictions that have none.
CREATE INDEX predictions_without_outcome ON predictions (tenant_id, created_at DESC) WHERE actual_hours IS NULL;
