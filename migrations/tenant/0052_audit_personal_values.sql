-- Values of audit entries that name people: what is hashed of one is its digest, sha256(salt || value), in the entry's details under
-- 'sealed'. So a value can be erased with its salt, and the chain stays whole. Entries of before have their values in their details.
CREATE TABLE audit_personal_values (
    -- Of audit_logs. No foreign key: to check one its owner would have to lock entries, and has no right to.
    seq bigint NOT NULL,
    -- Where in the details the value belongs: after.name
    place text NOT NULL,
    -- Random, of this value alone, of one length: sha256 sees no border between salt and value.
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    value text NOT NULL,
    PRIMARY KEY (seq, place)
);

-- Values come and go with their people; none is changed.
REVOKE UPDATE, TRUNCATE ON audit_personal_values FROM CURRENT_USER;
