-- What was imported and what was wrong with it.

CREATE TABLE imports (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('applied', 'rejected')),
    on_error text NOT NULL CHECK (on_error IN ('abort', 'skip')),
    rows_read bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    rejected bigint NOT NULL,
    -- The first 1,000 bad rows: [{"line": …, "column": …, "reason": …}].
    errors jsonb NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX imports_by_age ON imports (created_at, id);

-- Answers already given to POSTs that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    key text NOT NULL,
    actor text NOT NULL,
    request_sha256 bytea NOT NULL,
    -- NULL only inside the transaction that does the work.
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
