-- When the work was decided on whose booking `outcome_booking_id` names; NULL where no booking says so. How long work takes is known from
-- its decision on. Outcomes from before count from the question.
ALTER TABLE predictions ADD COLUMN work_decided_at timestamptz;
-- A model's outcomes by the decision on the work, however many of its predictions are open.
CREATE INDEX predictions_by_work ON predictions (tenant_id, model_id, (coalesce(work_decided_at, created_at)))
    WHERE actual_hours IS NOT NULL;
