-- A booking's effort as it was stated, how firm it is, and skills by id with the least level that is asked for.

ALTER TABLE projects
    ADD COLUMN required_skill_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN required_levels smallint[] NOT NULL DEFAULT '{}';
ALTER TABLE resource_allocations
    ADD COLUMN required_skill_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN required_levels smallint[] NOT NULL DEFAULT '{}',
    ADD COLUMN hours_per_day double precision CHECK (hours_per_day BETWEEN 0 AND 24),
    ADD COLUMN commitment text NOT NULL DEFAULT 'hard' CHECK (commitment IN ('hard', 'soft')),
    ADD COLUMN cancelled_at timestamptz,
    ALTER COLUMN allocation_percentage DROP NOT NULL,
    ALTER COLUMN allocation_percentage DROP DEFAULT,
    ALTER COLUMN allocated_hours DROP NOT NULL,
    ALTER COLUMN planned_hours DROP NOT NULL;

-- Words that no skill has yet become skills; a word that stands twice in a list is one.
INSERT INTO skills (name)
SELECT DISTINCT ON (folded(word)) tidied(word)
FROM (SELECT unnest(required_skills) AS word FROM projects
    UNION ALL SELECT unnest(required_skills) FROM resource_allocations) required
WHERE folded(word) <> '' AND folded(word) NOT IN (SELECT folded FROM skill_names)
ORDER BY folded(word), word;

-- The same lists come again and again: each is looked up once.
CREATE TABLE required_lists AS
SELECT words, array(
    SELECT n.skill_id FROM unnest(words) WITH ORDINALITY r (word, position)
    JOIN skill_names n ON n.folded = folded(r.word) GROUP BY n.skill_id ORDER BY min(r.position)) AS ids
FROM (SELECT required_skills AS words FROM projects UNION SELECT required_skills FROM resource_allocations) lists
WHERE words <> '{}';

UPDATE projects p SET required_skill_ids = l.ids,
    required_levels = array_fill(NULL::smallint, ARRAY[cardinality(l.ids)])
FROM required_lists l WHERE l.words = p.required_skills;
UPDATE resource_allocations a SET required_skill_ids = l.ids,
    required_levels = array_fill(NULL::smallint, ARRAY[cardinality(l.ids)])
FROM required_lists l WHERE l.words = a.required_skills;
DROP TABLE required_lists;

-- No hours beside a percentage: that was how an unknown number of hours was stored.
UPDATE resource_allocations SET allocated_hours = NULL WHERE allocated_hours = 0 AND allocation_percentage > 0;

ALTER TABLE projects DROP COLUMN required_skills,
    ADD CONSTRAINT projects_required_levels CHECK (cardinality(required_levels) = cardinality(required_skill_ids));
ALTER TABLE resource_allocations DROP COLUMN required_skills,
    ADD CONSTRAINT resource_allocations_required_levels
        CHECK (cardinality(required_levels) = cardinality(required_skill_ids));
CREATE INDEX projects_by_skill ON projects USING gin (required_skill_ids);
CREATE INDEX resource_allocations_by_skill ON resource_allocations USING gin (required_skill_ids);
CREATE INDEX resource_allocations_by_end ON resource_allocations (end_date);

-- Renaming a skill rewrites nothing: the history feed finds what requires it by its id.
CREATE FUNCTION skills_changed_since(watermark xid8) RETURNS uuid[] LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT coalesce(array_agg(id), '{}') FROM skills WHERE changed_in >= watermark
$$;

-- A skill that a project or a booking requires stays. The row is locked, and whoever refers to it locks it too.
CREATE FUNCTION keep_required_skill() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM projects WHERE required_skill_ids @> ARRAY[OLD.id])
        OR EXISTS (SELECT FROM resource_allocations WHERE required_skill_ids @> ARRAY[OLD.id])
    THEN
        RAISE EXCEPTION 'the skill is required'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'skills_required', TABLE = 'skills';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER skills_required BEFORE DELETE ON skills FOR EACH ROW EXECUTE FUNCTION keep_required_skill();
