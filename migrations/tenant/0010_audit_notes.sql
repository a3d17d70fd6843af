-- Entries of the audit log that other services have brought, so that one that comes twice is recorded once.
CREATE TABLE audit_notes (
    id uuid PRIMARY KEY
);
