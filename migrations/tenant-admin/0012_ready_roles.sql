-- Roles made ahead for future tenants, many at a time. After each transaction that makes a role every backend of tenant-admin reads once
-- more which roles it may take, which takes the longer the more tenants there are.
CREATE TABLE ready_roles (
    -- The tenant's, after which the role is called.
    id uuid PRIMARY KEY
);
