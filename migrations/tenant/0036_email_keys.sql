-- One rule for when two e-mail addresses are one person's; the same as `EmailAddress.key` in Contracts. lower() knows neither
-- Unicode's forms nor, in some locales, any letter but ASCII's.
ALTER TABLE users
    ADD COLUMN email_key text GENERATED ALWAYS AS (replace(folded(email), 'ß', 'ss')) STORED,
    -- Two users who turned out to have one address: it is the other's, who is active if one of them is. This one stays, for what is
    -- recorded of it, and nobody logs in to it any more.
    ADD COLUMN address_taken_by uuid REFERENCES users ON DELETE SET NULL;
ALTER TABLE invitations
    ADD COLUMN email_key text GENERATED ALWAYS AS (replace(folded(email), 'ß', 'ss')) STORED;

UPDATE users SET address_taken_by = ranked.kept
FROM (
    SELECT id, first_value(id) OVER (PARTITION BY email_key ORDER BY is_active DESC, created_at, id) AS kept FROM users
) AS ranked
WHERE ranked.id = users.id AND ranked.kept <> users.id;

UPDATE invitations SET revoked_at = now()
FROM (
    SELECT id, row_number() OVER (PARTITION BY email_key ORDER BY created_at DESC, id) AS place FROM invitations
    WHERE accepted_at IS NULL AND revoked_at IS NULL
) AS ranked
WHERE ranked.id = invitations.id AND ranked.place > 1;

DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (email_key) WHERE address_taken_by IS NULL;
DROP INDEX invitations_open_key;
CREATE UNIQUE INDEX invitations_open_key ON invitations (email_key) WHERE accepted_at IS NULL AND revoked_at IS NULL;
