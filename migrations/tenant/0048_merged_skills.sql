-- Two words found to be one skill: earlier versions of bookings and projects follow, as they follow a new name, and a merge is no
-- version of anything. Before, a merge took the skill out of what was decided, and a skill that only earlier versions name could
-- be deleted.

DROP TRIGGER resource_allocations_versions ON resource_allocations;
CREATE TRIGGER resource_allocations_versions BEFORE UPDATE ON resource_allocations
    FOR EACH ROW WHEN (current_setting('erm.merges_skills', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION keep_allocation_version();

DROP TRIGGER projects_versions ON projects;
CREATE TRIGGER projects_versions BEFORE UPDATE ON projects
    FOR EACH ROW WHEN (current_setting('erm.merges_skills', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION keep_project_version();

CREATE OR REPLACE FUNCTION keep_required_skill() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM projects WHERE required_skill_ids @> ARRAY[OLD.id])
        OR EXISTS (SELECT FROM resource_allocations WHERE required_skill_ids @> ARRAY[OLD.id])
        OR EXISTS (SELECT FROM project_versions WHERE required_skill_ids @> ARRAY[OLD.id])
        OR EXISTS (SELECT FROM allocation_versions WHERE required_skill_ids @> ARRAY[OLD.id])
    THEN
        RAISE EXCEPTION 'the skill is required'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'skills_required', TABLE = 'skills';
    END IF;
    RETURN OLD;
END
$$;

-- What earlier merges took out: the audit log says what became of which skill.
DO $$
DECLARE
    merge record;
    versions name;
    touched uuid[] := '{}';
BEGIN
    FOR merge IN
        SELECT (details ->> 'mergedId')::uuid AS gone, entity_id::uuid AS target FROM audit_logs
        WHERE action = 'merge' AND entity = 'skill' AND details ? 'mergedId' ORDER BY seq
    LOOP
        touched := touched || array(
            SELECT allocation_id FROM allocation_versions WHERE required_skill_ids @> ARRAY[merge.gone]);
        FOREACH versions IN ARRAY ARRAY['project_versions', 'allocation_versions'] LOOP
            EXECUTE format(
                $update$
                UPDATE %I t SET (required_skill_ids, required_levels) = (
                    SELECT array_agg(skill ORDER BY place), array_agg(level ORDER BY place) FROM (
                        SELECT CASE WHEN r.skill = $1 THEN $2 ELSE r.skill END AS skill, max(r.level) AS level,
                            min(r.place) AS place
                        FROM unnest(t.required_skill_ids, t.required_levels) WITH ORDINALITY r (skill, level, place)
                        GROUP BY 1) each)
                WHERE t.required_skill_ids @> ARRAY[$1]
                $update$, versions) USING merge.gone, merge.target;
        END LOOP;
    END LOOP;
    -- Who follows the history is told of these bookings again.
    UPDATE resource_allocations SET version = version WHERE id = ANY(touched);
END
$$;
