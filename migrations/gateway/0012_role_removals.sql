-- Roles that somebody has asked tenant-admin to delete: no API key is made with such a role, while the deletion is under way and
-- until no request that has read the role before can still be about to store a key. A deletion that was refused leaves no row.
CREATE TABLE role_removals (
    id        uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    role_id   uuid NOT NULL,
    asked_at  timestamptz NOT NULL
);

CREATE INDEX role_removals_of_tenant ON role_removals (tenant_id, asked_at);
