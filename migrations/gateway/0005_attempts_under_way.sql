-- When each attempt began that has not ended yet; those of a node that died count no more after half a minute.
ALTER TABLE login_attempts ADD COLUMN under_way timestamptz[] NOT NULL DEFAULT '{}';
