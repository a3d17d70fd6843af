-- The booking that an outcome was taken from; NULL for one that somebody has recorded. What the plan takes back or puts right later,
-- the prediction takes back, too. Outcomes from before stay as they are: nobody knows who recorded them.
ALTER TABLE predictions ADD COLUMN outcome_booking_id uuid;
CREATE INDEX predictions_with_booking ON predictions (tenant_id, created_at DESC, id DESC) WHERE outcome_booking_id IS NOT NULL;
