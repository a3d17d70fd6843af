-- Counts that other services have reported, so that a report that comes twice is added up once.
CREATE TABLE usage_reports (
    id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
