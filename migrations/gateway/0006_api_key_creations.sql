-- Answers already given to POST /api-keys under an Idempotency-Key, for a day. They hold the key's secret, so they are sealed:
-- to open one it takes a secret of the gateways and the client's Idempotency-Key, of which only a digest is here.
CREATE TABLE api_key_creations (
    -- Of tenant, caller and Idempotency-Key.
    digest         bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
    api_key_id     uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    sealed_answer  bytea NOT NULL,
    created_at     timestamptz NOT NULL
);

CREATE INDEX api_key_creations_created_at ON api_key_creations (created_at);
