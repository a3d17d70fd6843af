-- Failed attempts are forgotten one by one as time passes; from when the next one counts. Until now all of them were forgotten at
-- once, when there had been no attempt at all for a while, which never came where somebody kept trying.
ALTER TABLE login_attempts ADD COLUMN counted_since timestamptz;
UPDATE login_attempts SET counted_since = last_attempt_at;
ALTER TABLE login_attempts ALTER COLUMN counted_since SET NOT NULL;
ALTER TABLE login_attempts ALTER COLUMN counted_since SET DEFAULT now();
