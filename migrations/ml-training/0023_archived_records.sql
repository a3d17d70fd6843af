-- What a tenant brought along from another installation's archive, line for line: records of its models there, which answer
-- nobody here. The next archive has them again.
CREATE TABLE archived_records (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    line text NOT NULL,
    PRIMARY KEY (tenant_id, kind, number)
);
-- A line that is sent again is there already.
CREATE UNIQUE INDEX archived_records_once ON archived_records (tenant_id, kind, md5(line));

ALTER TABLE archived_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE archived_records FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON archived_records
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
