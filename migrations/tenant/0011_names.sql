-- One rule for names: letter case, blanks around them, runs of blanks and Unicode forms make no other name.

-- The same as `String.folded` in Contracts; FoldingTests holds both to one table of cases.
CREATE FUNCTION folded(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(normalize(lower(normalize(btrim(regexp_replace(translate(name,
        E'\t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
        '                        '), ' +', ' ', 'g'), ' '), NFC) COLLATE "und-x-icu"), NFC), 'ς', 'σ')
$$;

-- What is stored of a text: blanks around it go, and it has one Unicode form. `String.tidied` in Contracts.
CREATE FUNCTION tidied(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT normalize(btrim(name,
        E' \t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'), NFC)
$$;

CREATE FUNCTION stamp_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- Departments that only differ by spelling become the oldest of them.
WITH spelt AS (
    SELECT id, first_value(id) OVER (PARTITION BY folded(name) ORDER BY created_at, id) AS kept FROM departments)
UPDATE employees e SET department_id = spelt.kept FROM spelt WHERE e.department_id = spelt.id AND spelt.kept <> spelt.id;

DELETE FROM departments d USING departments k
WHERE folded(d.name) = folded(k.name) AND (k.created_at, k.id) < (d.created_at, d.id);

UPDATE departments SET name = tidied(name) WHERE name <> tidied(name);
ALTER TABLE departments
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN folded_name text GENERATED ALWAYS AS (folded(name)) STORED,
    DROP CONSTRAINT departments_name_key;
ALTER TABLE departments ADD CONSTRAINT departments_name_key UNIQUE (folded_name);
CREATE TRIGGER departments_stamp BEFORE UPDATE ON departments FOR EACH ROW EXECUTE FUNCTION stamp_update();

-- The same for skills; of a person who had two spellings the higher level and the earlier day stay.
CREATE TABLE spelt_skills AS
    SELECT id, first_value(id) OVER (PARTITION BY folded(name) ORDER BY created_at, id) AS kept FROM skills;

INSERT INTO employee_skills AS t (employee_id, skill_id, level, since)
SELECT es.employee_id, s.kept, max(es.level), min(es.since)
FROM employee_skills es JOIN spelt_skills s ON s.id = es.skill_id
WHERE s.kept IN (SELECT kept FROM spelt_skills WHERE id <> kept)
GROUP BY es.employee_id, s.kept
ON CONFLICT (employee_id, skill_id) DO UPDATE SET level = excluded.level, since = excluded.since
    WHERE (t.level, t.since) IS DISTINCT FROM (excluded.level, excluded.since);

DELETE FROM employee_skills USING spelt_skills s WHERE skill_id = s.id AND s.kept <> s.id;
DELETE FROM skills USING spelt_skills s WHERE skills.id = s.id AND s.kept <> s.id;
DROP TABLE spelt_skills;

UPDATE skills SET name = tidied(name) WHERE name <> tidied(name);
ALTER TABLE skills
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    DROP CONSTRAINT skills_name_key;
CREATE INDEX skills_by_name ON skills (name);
CREATE INDEX skills_by_change ON skills (changed_in);
CREATE TRIGGER skills_stamp BEFORE UPDATE ON skills FOR EACH ROW EXECUTE FUNCTION stamp_change();

-- Every word that finds a skill: its name and its aliases, in one index, so that no word finds two.
CREATE TABLE skill_names (
    folded text PRIMARY KEY CHECK (folded <> ''),
    skill_id uuid NOT NULL REFERENCES skills ON DELETE CASCADE,
    name text NOT NULL,
    is_alias boolean NOT NULL
);

CREATE INDEX skill_names_by_skill ON skill_names (skill_id);
INSERT INTO skill_names (folded, skill_id, name, is_alias) SELECT folded(name), id, name, false FROM skills;

-- A new name takes the place of the old one, which stays as an alias: files that still use it find the skill.
CREATE FUNCTION name_skill() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE skill_names SET is_alias = true WHERE skill_id = NEW.id AND NOT is_alias;
        UPDATE skill_names SET is_alias = false, name = NEW.name WHERE skill_id = NEW.id AND folded = folded(NEW.name);
        IF FOUND THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO skill_names (folded, skill_id, name, is_alias) VALUES (folded(NEW.name), NEW.id, NEW.name, false);
    RETURN NULL;
END
$$;

CREATE TRIGGER skills_named AFTER INSERT ON skills FOR EACH ROW EXECUTE FUNCTION name_skill();
CREATE TRIGGER skills_renamed_word AFTER UPDATE OF name ON skills
    FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION name_skill();

-- The skill a word finds, made if there is none.
CREATE FUNCTION skill_named(word text) RETURNS uuid LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    found_id uuid;
BEGIN
    LOOP
        -- Held until the transaction ends, for it is about to be referred to.
        SELECT s.id INTO found_id FROM skill_names n JOIN skills s ON s.id = n.skill_id WHERE n.folded = folded(word)
        FOR KEY SHARE OF s;
        IF FOUND THEN
            RETURN found_id;
        END IF;
        BEGIN
            INSERT INTO skills (name) VALUES (tidied(word)) RETURNING id INTO found_id;
            RETURN found_id;
        EXCEPTION WHEN unique_violation THEN
            -- Another transaction has just made it.
        END;
    END LOOP;
END
$$;

-- External ids are written without blanks around them. Where that would make two rows one, they stay as they are.
UPDATE employees t SET external_id = tidied(external_id) WHERE external_id <> tidied(external_id)
    AND NOT EXISTS (SELECT FROM employees o WHERE o.id <> t.id AND tidied(o.external_id) = tidied(t.external_id));
UPDATE projects t SET external_id = tidied(external_id) WHERE external_id <> tidied(external_id)
    AND NOT EXISTS (SELECT FROM projects o WHERE o.id <> t.id AND tidied(o.external_id) = tidied(t.external_id));
UPDATE resource_allocations t SET external_id = tidied(external_id) WHERE external_id <> tidied(external_id)
    AND NOT EXISTS (
        SELECT FROM resource_allocations o WHERE o.id <> t.id AND tidied(o.external_id) = tidied(t.external_id));
