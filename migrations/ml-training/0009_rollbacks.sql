-- The deployment that a rollback undid, so that the next one goes back a step further and does none over again. Rollbacks from
-- before this column have none.
ALTER TABLE deployments ADD COLUMN undoes bigint REFERENCES deployments;
CREATE UNIQUE INDEX deployments_undone ON deployments (undoes) WHERE undoes IS NOT NULL;
