-- A booking's title, kept as first decided like all that a model may read. Versions of the past may be brought by an import.

ALTER TABLE resource_allocations ADD COLUMN title text;
ALTER TABLE allocation_versions ADD COLUMN title text;

CREATE OR REPLACE FUNCTION keep_allocation_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
        NEW.version_from := NEW.created_at;
        RETURN NEW;
    END IF;
    -- An import of versions numbers the present one after those it brought; nothing else sets the number.
    IF NEW.version <> OLD.version THEN
        RETURN NEW;
    END IF;
    NEW.version_from := OLD.version_from;
    NEW.recorded_at := OLD.recorded_at;
    IF (NEW.employee_id, NEW.project_id, NEW.allocated_hours, NEW.hours_per_day, NEW.allocation_percentage, NEW.commitment,
            NEW.cancelled_at IS NULL, NEW.required_skill_ids, NEW.required_levels, NEW.labels, NEW.start_date, NEW.end_date,
            NEW.title)
        IS NOT DISTINCT FROM
        (OLD.employee_id, OLD.project_id, OLD.allocated_hours, OLD.hours_per_day, OLD.allocation_percentage, OLD.commitment,
            OLD.cancelled_at IS NULL, OLD.required_skill_ids, OLD.required_levels, OLD.labels, OLD.start_date, OLD.end_date,
            OLD.title)
        -- Several edits of one transaction are one version.
        OR OLD.version_from = now() AND OLD.version > 1
    THEN
        RETURN NEW;
    END IF;
    INSERT INTO allocation_versions (allocation_id, version, valid_from, valid_until, employee_id, project_id,
        allocated_hours, hours_per_day, allocation_percentage, commitment, is_cancelled, required_skill_ids, required_levels,
        labels, start_date, end_date, title)
    VALUES (OLD.id, OLD.version, OLD.version_from, now(), OLD.employee_id, OLD.project_id,
        OLD.allocated_hours, OLD.hours_per_day, OLD.allocation_percentage, OLD.commitment, OLD.cancelled_at IS NOT NULL,
        OLD.required_skill_ids, OLD.required_levels, OLD.labels, OLD.start_date, OLD.end_date, OLD.title);
    NEW.version := OLD.version + 1;
    NEW.version_from := now();
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION decided_version(booking resource_allocations) RETURNS allocation_versions
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT v.* FROM (
        SELECT * FROM allocation_versions WHERE allocation_id = booking.id
        UNION ALL
        SELECT booking.id, booking.version, booking.version_from, 'infinity'::timestamptz, booking.employee_id, booking.project_id,
            booking.allocated_hours, booking.hours_per_day, booking.allocation_percentage, booking.commitment,
            booking.cancelled_at IS NOT NULL, booking.required_skill_ids, booking.required_levels, booking.labels,
            booking.start_date, booking.end_date, booking.title) v
    WHERE v.version > coalesce((
        SELECT max(moved.version) FROM allocation_versions moved
        WHERE moved.allocation_id = booking.id
            AND (moved.employee_id, moved.project_id) <> (booking.employee_id, booking.project_id)), 0)
    ORDER BY v.version LIMIT 1
$$;

CREATE OR REPLACE FUNCTION keep_project_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.version <> OLD.version THEN
        RETURN NEW;
    END IF;
    NEW.version_from := OLD.version_from;
    IF (NEW.status, NEW.completion_percentage, NEW.start_date, NEW.estimated_end_date, NEW.end_date, NEW.required_skill_ids,
            NEW.required_levels)
        IS NOT DISTINCT FROM
        (OLD.status, OLD.completion_percentage, OLD.start_date, OLD.estimated_end_date, OLD.end_date, OLD.required_skill_ids,
            OLD.required_levels)
        OR OLD.version_from = now()
    THEN
        RETURN NEW;
    END IF;
    INSERT INTO project_versions (project_id, version, valid_from, valid_until, status, completion_percentage, start_date,
        estimated_end_date, end_date, required_skill_ids, required_levels)
    VALUES (OLD.id, OLD.version, OLD.version_from, now(), OLD.status, OLD.completion_percentage, OLD.start_date,
        OLD.estimated_end_date, OLD.end_date, OLD.required_skill_ids, OLD.required_levels);
    NEW.version := OLD.version + 1;
    NEW.version_from := now();
    RETURN NEW;
END
$$;

-- Audit entries of the tenant that an archive came from, line by line as its export had them: they are no part of this
-- tenant's own chain, and nothing here changes them.
CREATE TABLE archived_audit_logs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line text NOT NULL
);

CREATE TRIGGER archived_audit_logs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON archived_audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
