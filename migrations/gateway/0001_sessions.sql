-- A login and the refresh tokens that descend from it (a refresh-token family).
CREATE TABLE sessions (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL,
    user_id         uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at      timestamptz,
    revoked_because text CHECK (revoked_because IN ('logout', 'reuse')),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);

CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Only SHA-256 digests: who reads this table holds no token.
CREATE TABLE refresh_tokens (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    -- When it was exchanged for the next; used again later than the grace, it ends its session.
    used_at    timestamptz
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
