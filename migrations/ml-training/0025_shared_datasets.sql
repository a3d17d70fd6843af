-- Datasets of a growing history have nearly all lines in common, so a dataset is a list of chunks that it shares with others of its
-- tenant. A chunk ends where its last line says so, whatever stands before it, and is known by its digest.
--
-- Chunks of earlier releases move to `former_dataset_chunks`; ml-training cuts them anew in the background, one dataset at a time.
-- Nodes of the former release read and write both kinds by the view `training_dataset_chunks`.

ALTER TABLE training_dataset_chunks RENAME TO former_dataset_chunks;

CREATE TABLE dataset_chunks (
    tenant_id uuid NOT NULL,
    sha256 bytea NOT NULL CHECK (sha256 = sha256(content)),
    -- NDJSON, UTF-8.
    content bytea NOT NULL,
    -- Facts come before allocations in a dataset, so a chunk that begins with one holds nothing else.
    is_allocations boolean NOT NULL GENERATED ALWAYS AS (substring(content FROM 1 FOR 13) = '{"allocation"'::bytea) STORED,
    PRIMARY KEY (tenant_id, sha256)
);
DO $$
BEGIN
    EXECUTE 'ALTER TABLE dataset_chunks ALTER COLUMN content SET COMPRESSION lz4';
EXCEPTION
    WHEN feature_not_supported OR syntax_error THEN NULL;
END
$$;

-- Where in a dataset a chunk is.
CREATE TABLE dataset_chunk_uses (
    tenant_id uuid NOT NULL,
    dataset_id uuid NOT NULL,
    -- Counted from 0 over the whole dataset.
    first_line integer NOT NULL CHECK (first_line >= 0),
    line_count integer NOT NULL CHECK (line_count > 0),
    sha256 bytea NOT NULL,
    PRIMARY KEY (tenant_id, dataset_id, first_line),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES training_datasets (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, sha256) REFERENCES dataset_chunks (tenant_id, sha256)
);
CREATE INDEX dataset_chunk_uses_chunk ON dataset_chunk_uses (tenant_id, sha256);

ALTER TABLE dataset_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE dataset_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON dataset_chunks
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
ALTER TABLE dataset_chunk_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE dataset_chunk_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON dataset_chunk_uses
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
CREATE TRIGGER immutable BEFORE UPDATE ON dataset_chunks FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER immutable BEFORE UPDATE ON dataset_chunk_uses FOR EACH ROW EXECUTE FUNCTION refuse_update();

-- When each tenant's datasets were last looked after: chunks cut anew, what nothing needs any more removed.
CREATE TABLE dataset_upkeep (
    tenant_id uuid PRIMARY KEY,
    done_at timestamptz NOT NULL DEFAULT '-infinity'
);
ALTER TABLE dataset_upkeep ENABLE ROW LEVEL SECURITY;
ALTER TABLE dataset_upkeep FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON dataset_upkeep
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);
-- Whose turn it is, is asked across tenants.
CREATE POLICY look ON dataset_upkeep FOR SELECT
    USING (current_setting('erm.queue', true) = 'upkeep');

CREATE FUNCTION await_upkeep() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO dataset_upkeep (tenant_id) VALUES (NEW.tenant_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER await_upkeep AFTER INSERT ON training_datasets FOR EACH ROW EXECUTE FUNCTION await_upkeep();

-- All chunks: those of earlier releases hold 2,000 lines each, but for a dataset's last one.
CREATE VIEW training_dataset_chunks AS
    SELECT tenant_id, dataset_id, ordinal, line_count, content, ordinal * 2000 AS first_line,
        substring(content FROM 1 FOR 13) = '{"allocation"'::bytea AS is_allocations
    FROM former_dataset_chunks
    UNION ALL
    SELECT u.tenant_id, u.dataset_id, u.first_line, u.line_count, c.content, u.first_line, c.is_allocations
    FROM dataset_chunk_uses u JOIN dataset_chunks c ON c.tenant_id = u.tenant_id AND c.sha256 = u.sha256;

CREATE FUNCTION write_former_chunk() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM former_dataset_chunks
        WHERE tenant_id = OLD.tenant_id AND dataset_id = OLD.dataset_id AND ordinal = OLD.ordinal;
        DELETE FROM dataset_chunk_uses
        WHERE tenant_id = OLD.tenant_id AND dataset_id = OLD.dataset_id AND first_line = OLD.first_line;
        RETURN OLD;
    END IF;
    INSERT INTO former_dataset_chunks (tenant_id, dataset_id, ordinal, line_count, content)
    VALUES (NEW.tenant_id, NEW.dataset_id, NEW.ordinal, NEW.line_count, NEW.content) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE dataset_upkeep SET done_at = '-infinity' WHERE tenant_id = NEW.tenant_id AND done_at > '-infinity';
    RETURN NEW;
END
$$;
CREATE TRIGGER write_former_chunk INSTEAD OF INSERT OR DELETE ON training_dataset_chunks
    FOR EACH ROW EXECUTE FUNCTION write_former_chunk();

-- Restores that never ended: what has come of them goes after a time.
ALTER TABLE restored_pieces ADD COLUMN received_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE restored_models ADD COLUMN received_at timestamptz NOT NULL DEFAULT now();
-- Contents of datasets that are not whole yet.
CREATE TABLE restored_contents (
    tenant_id uuid NOT NULL,
    content_sha256 text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, content_sha256)
);
ALTER TABLE restored_contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE restored_contents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON restored_contents
    USING (tenant_id = nullif(current_setting('erm.tenant_id', true), '')::uuid);

-- This runs for all tenants at once, past the policies that hold the owner of these tables, too.
ALTER TABLE training_datasets NO FORCE ROW LEVEL SECURITY;
ALTER TABLE former_dataset_chunks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE dataset_upkeep NO FORCE ROW LEVEL SECURITY;
ALTER TABLE restored_contents NO FORCE ROW LEVEL SECURITY;
INSERT INTO dataset_upkeep (tenant_id) SELECT DISTINCT tenant_id FROM training_datasets;
INSERT INTO restored_contents (tenant_id, content_sha256)
    SELECT DISTINCT d.tenant_id, d.content_sha256 FROM training_datasets d
    JOIN (SELECT tenant_id, dataset_id, sum(line_count) AS lines FROM former_dataset_chunks GROUP BY 1, 2) c
        ON c.tenant_id = d.tenant_id AND c.dataset_id = d.id
    WHERE c.lines <> d.line_count;
ALTER TABLE training_datasets FORCE ROW LEVEL SECURITY;
ALTER TABLE former_dataset_chunks FORCE ROW LEVEL SECURITY;
ALTER TABLE dataset_upkeep FORCE ROW LEVEL SECURITY;
ALTER TABLE restored_contents FORCE ROW LEVEL SECURITY;
