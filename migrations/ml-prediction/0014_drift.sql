-- What came of a day's predictions, beside what was said of them. Rows of an earlier release are worked out again when they
-- are next asked for.
ALTER TABLE model_metrics ADD COLUMN outcomes_count bigint NOT NULL DEFAULT 0;
ALTER TABLE model_metrics ADD COLUMN mean_absolute_error double precision;
-- Percent.
ALTER TABLE model_metrics ADD COLUMN coverage80 double precision;
