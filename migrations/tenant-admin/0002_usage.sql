-- What is not counted is unknown, not zero.
ALTER TABLE tenant_usage
    ALTER COLUMN api_calls_count DROP NOT NULL,
    ALTER COLUMN api_calls_count DROP DEFAULT,
    ALTER COLUMN ml_predictions_count DROP NOT NULL,
    ALTER COLUMN ml_predictions_count DROP DEFAULT,
    -- When the day's figures were last taken.
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
