-- Uploads under way, for GET /imports/{id}. A row is gone when its import has ended, however it ended; one whose service was
-- killed is seen no more for a minute, and is removed by the tenant's next import.
CREATE TABLE imports_under_way (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    status text NOT NULL CHECK (status IN ('receiving', 'applying')),
    received_bytes bigint NOT NULL,
    rows_read bigint NOT NULL,
    rejected bigint NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);

ALTER TABLE imports
    ADD COLUMN received_bytes bigint NOT NULL DEFAULT 0,
    -- Of the rows updated, those that lost a value.
    ADD COLUMN cleared bigint NOT NULL DEFAULT 0,
    -- The first 1,000 unusual rows: [{"line": …, "column": …, "reason": …}].
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]';
