-- Messages to people that are to be sent. A row says what is to be sent to whom, never a token: that is made at the moment
-- of sending, so that none lies about.

CREATE TABLE outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('invitation', 'password_reset')),
    -- As given: for a reset nobody has looked yet whether there is such a user.
    recipient text NOT NULL,
    invitation_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- What was not sent by then is of no use any more.
    expires_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    -- A delivered reset stays until it expires, so that its repetition can be told from a first.
    delivered_at timestamptz,
    CONSTRAINT outbox_invitation CHECK ((invitation_id IS NOT NULL) = (kind = 'invitation'))
);

CREATE UNIQUE INDEX outbox_reset_key ON outbox (tenant_id, lower(recipient)) WHERE kind = 'password_reset';
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE delivered_at IS NULL;
CREATE INDEX outbox_expired ON outbox (expires_at);
