-- The order in which other services learn of changes: a number of this schema's own for every transaction that changed rows
-- of the history feed. The number is given at the commit, under a lock held until the commit is visible, so that rows become
-- visible in the order of their number, and no other tenant's transaction has a part in it. Numbers and tokens are data like any other: a
-- restore into another cluster brings them along.

CREATE TABLE feed_commits (
    -- What the rows carry in changed_in. After a restore into a younger cluster a new transaction may have the number of a
    -- restored one; it takes the entry over, and the rows of both are told once more, which does no harm.
    transaction_id xid8 PRIMARY KEY,
    -- NULL only until the commit.
    number bigint,
    -- Makes a watermark (number, token) true or false: of two histories that went apart, as after a restore, the same
    -- number has another token in each.
    token uuid,
    committed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT feed_commits_number_key UNIQUE (number),
    CONSTRAINT feed_commits_whole CHECK ((number IS NULL) = (token IS NULL))
);

CREATE TABLE feed_head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    number bigint NOT NULL,
    token uuid NOT NULL
);

INSERT INTO feed_head (number, token) VALUES (0, gen_random_uuid());
INSERT INTO feed_commits (transaction_id, number, token) SELECT '0'::xid8, number, token FROM feed_head;

-- Notes that the transaction under way will need a number.
CREATE FUNCTION feed_note() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO feed_commits AS c (transaction_id) VALUES (pg_current_xact_id())
    ON CONFLICT (transaction_id) DO UPDATE SET number = NULL, token = NULL WHERE c.number IS NOT NULL;
    RETURN NULL;
END
$$;

-- Runs at the commit, when the transaction may act as another role already: hence as the owner.
CREATE FUNCTION feed_number() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    head feed_head;
BEGIN
    PERFORM FROM feed_commits WHERE transaction_id = NEW.transaction_id AND number IS NULL;
    IF FOUND THEN
        UPDATE feed_head SET number = number + 1, token = gen_random_uuid() RETURNING * INTO STRICT head;
        UPDATE feed_commits SET number = head.number, token = head.token, committed_at = clock_timestamp()
        WHERE transaction_id = NEW.transaction_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER feed_commits_number AFTER INSERT OR UPDATE ON feed_commits
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.number IS NULL) EXECUTE FUNCTION feed_number();

-- Every table whose rows carry changed_in. A later migration that adds such a table adds this trigger to it.
DO $$
DECLARE
    feed_table name;
BEGIN
    FOR feed_table IN
        SELECT c.relname FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attname = 'changed_in' AND NOT a.attisdropped
    LOOP
        EXECUTE format(
            'CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION feed_note()',
            feed_table);
    END LOOP;
END
$$;
