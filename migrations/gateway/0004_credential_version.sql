-- Under which of the user's passwords a session was begun; one changed since ends it. Sessions from before there were
-- versions were begun under the first.
ALTER TABLE sessions ADD COLUMN credential_version integer NOT NULL DEFAULT 1;
