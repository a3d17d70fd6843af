-- How people come to a password of their own: by an invitation, or by a reset.

CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    -- What the user will hold. Ids: another role of the same name made later is not what was meant.
    role_ids uuid[] NOT NULL,
    invited_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    accepted_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT invitations_one_end CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);

CREATE UNIQUE INDEX invitations_open_key ON invitations (lower(email)) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_age ON invitations (created_at, id);

-- Digests of the tokens that were sent. A message sent twice has two tokens, each good until one of them is used.
CREATE TABLE one_time_tokens (
    token_sha256 bytea PRIMARY KEY,
    -- One of the two: whose password it sets, or which invitation it accepts.
    user_id uuid REFERENCES users ON DELETE CASCADE,
    invitation_id uuid REFERENCES invitations ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    CONSTRAINT one_time_tokens_for_one CHECK (num_nonnulls(user_id, invitation_id) = 1)
);

CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_by_invitation ON one_time_tokens (invitation_id);
