-- Of the day's stated probabilities of success, 0…1. Rows of an earlier release are worked out again when they are next asked for.
ALTER TABLE daily_model_metrics ADD COLUMN brier_score double precision;
