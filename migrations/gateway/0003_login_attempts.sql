-- Attempts to log in by account and by client address. The subject is a digest of either.
CREATE TABLE login_attempts (
    subject         bytea PRIMARY KEY CHECK (octet_length(subject) = 32),
    failures        integer NOT NULL CHECK (failures >= 0),
    last_attempt_at timestamptz NOT NULL,
    locked_until    timestamptz
);

CREATE INDEX login_attempts_last_attempt_at ON login_attempts (last_attempt_at);
