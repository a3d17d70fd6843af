-- The roles of a key by id: a role that is renamed stays the key's, and one that takes over a name does not become it. NULL until
-- the gateway has asked tenant-admin for the ids of the names that the key was made with, which it does at once.
ALTER TABLE api_keys ADD COLUMN role_ids uuid[];

CREATE INDEX api_keys_without_role_ids ON api_keys (tenant_id) WHERE role_ids IS NULL;
