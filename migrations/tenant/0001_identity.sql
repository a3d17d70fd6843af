-- Who may do what inside one tenant. Applied with search_path = the tenant's schema, as the tenant's own role.

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    -- A PHC-like scrypt string; NULL for a user who has not set a password yet.
    password_hash text,
    is_active boolean NOT NULL DEFAULT true,
    -- Grants beside those of the roles: [{"resource": …, "actions": […]}].
    permissions jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(permissions) = 'array'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Mail addresses are compared without case: one person must not become two users.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE TABLE roles (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    permissions jsonb NOT NULL CHECK (jsonb_typeof(permissions) = 'array'),
    -- The default roles stay as they are.
    is_builtin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_name_key UNIQUE (name)
);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role_id uuid NOT NULL REFERENCES roles,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role_id)
);

CREATE INDEX user_roles_by_role ON user_roles (role_id);

CREATE TABLE tenant_settings (
    key text PRIMARY KEY CHECK (key <> ''),
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
