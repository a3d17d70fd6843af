-- Tenants that are looked after between requests: outcomes are taken in, shadows reported, alarms raised. A tenant is one of them
-- from its first prediction on.
CREATE TABLE watches (
    tenant_id uuid PRIMARY KEY,
    next_look_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX watches_next ON watches (next_look_at);

ALTER TABLE watches ENABLE ROW LEVEL SECURITY;
ALTER TABLE watches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON watches
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- Choosing whom to look after is done across tenants.
CREATE POLICY queue ON watches
    USING (current_setting('erm.queue', true) = 'watch');

CREATE FUNCTION watch_tenant() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO watches (tenant_id) VALUES (NEW.tenant_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- The names of features are stored before a tenant's first prediction, and seldom afterwards.
CREATE TRIGGER watch AFTER INSERT ON feature_sets FOR EACH ROW EXECUTE FUNCTION watch_tenant();

-- Those who have predictions already.
CREATE POLICY carry_over ON feature_sets FOR SELECT USING (current_setting('erm.queue', true) = 'watch');
SELECT set_config('erm.queue', 'watch', true);
INSERT INTO watches (tenant_id) SELECT DISTINCT tenant_id FROM feature_sets ON CONFLICT DO NOTHING;
SELECT set_config('erm.queue', '', true);
DROP POLICY carry_over ON feature_sets;

-- What a model in its shadow would have answered; nobody was answered with it. Kept as long as the prediction.
CREATE TABLE shadow_answers (
    tenant_id uuid NOT NULL,
    prediction_id uuid NOT NULL,
    model_id uuid NOT NULL,
    answer jsonb NOT NULL,
    PRIMARY KEY (tenant_id, prediction_id),
    FOREIGN KEY (tenant_id, prediction_id) REFERENCES predictions (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX shadow_answers_by_model ON shadow_answers (tenant_id, model_id);

ALTER TABLE shadow_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE shadow_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shadow_answers
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

-- Alarms on their way to the operator's webhook, each once a month.
CREATE TABLE alarm_notices (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    model_id uuid NOT NULL,
    kind text NOT NULL,
    -- YYYY-MM.
    month text NOT NULL,
    alarm jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    delivered_at timestamptz,
    UNIQUE (tenant_id, model_id, kind, month)
);
CREATE INDEX alarm_notices_due ON alarm_notices (next_attempt_at) WHERE delivered_at IS NULL;

ALTER TABLE alarm_notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE alarm_notices FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON alarm_notices
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
CREATE POLICY queue ON alarm_notices
    USING (current_setting('erm.queue', true) = 'watch');
