-- So that the ids of audit notes, which only tell a repetition from a first, need not be kept for ever.
ALTER TABLE audit_notes ADD COLUMN received_at timestamptz NOT NULL DEFAULT now();
