-- People who were made nameless, for services that have written their names down elsewhere. An entry goes once it is done.
CREATE TABLE erasures (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    employee_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, employee_id)
);

CREATE INDEX erasures_by_age ON erasures (created_at);
