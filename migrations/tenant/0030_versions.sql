-- What was known when: the editable facts of a booking and of a project as first decided, and every later version with its
-- time. The row itself is the newest version; what an edit replaces is kept here by a trigger, whoever makes the edit.

CREATE TABLE allocation_versions (
    allocation_id uuid NOT NULL REFERENCES resource_allocations ON DELETE CASCADE,
    -- 1 is the booking as first decided.
    version integer NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    -- Not references: a version outlives the person or the project that the booking was taken from.
    employee_id uuid NOT NULL,
    project_id uuid NOT NULL,
    allocated_hours double precision,
    hours_per_day double precision,
    allocation_percentage double precision,
    commitment text NOT NULL,
    is_cancelled boolean NOT NULL,
    required_skill_ids uuid[] NOT NULL,
    required_levels smallint[] NOT NULL,
    labels jsonb NOT NULL,
    start_date date NOT NULL,
    end_date date,
    PRIMARY KEY (allocation_id, version)
);

ALTER TABLE resource_allocations
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    -- When the present version began to hold; the first one at the decision.
    ADD COLUMN version_from timestamptz,
    -- When the platform got to know of the booking. Later than the decision where history was imported, and for bookings
    -- from before versions were kept, whose edits nobody knows: that they stood so at the decision is the importer's word.
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now(),
    -- False: nobody vouches that the row stood so at the decision; nothing of it but the plan counts as known then.
    ADD COLUMN history_known boolean NOT NULL DEFAULT true;
UPDATE resource_allocations SET version_from = created_at;
ALTER TABLE resource_allocations ALTER COLUMN version_from SET NOT NULL;

CREATE FUNCTION keep_allocation_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.version := 1;
        NEW.version_from := NEW.created_at;
        RETURN NEW;
    END IF;
    NEW.version := OLD.version;
    NEW.version_from := OLD.version_from;
    NEW.recorded_at := OLD.recorded_at;
    IF (NEW.employee_id, NEW.project_id, NEW.allocated_hours, NEW.hours_per_day, NEW.allocation_percentage, NEW.commitment,
            NEW.cancelled_at IS NULL, NEW.required_skill_ids, NEW.required_levels, NEW.labels, NEW.start_date, NEW.end_date)
        IS NOT DISTINCT FROM
        (OLD.employee_id, OLD.project_id, OLD.allocated_hours, OLD.hours_per_day, OLD.allocation_percentage, OLD.commitment,
            OLD.cancelled_at IS NULL, OLD.required_skill_ids, OLD.required_levels, OLD.labels, OLD.start_date, OLD.end_date)
        -- Several edits of one transaction are one version.
        OR OLD.version_from = now() AND OLD.version > 1
    THEN
        RETURN NEW;
    END IF;
    INSERT INTO allocation_versions (allocation_id, version, valid_from, valid_until, employee_id, project_id,
        allocated_hours, hours_per_day, allocation_percentage, commitment, is_cancelled, required_skill_ids, required_levels,
        labels, start_date, end_date)
    VALUES (OLD.id, OLD.version, OLD.version_from, now(), OLD.employee_id, OLD.project_id,
        OLD.allocated_hours, OLD.hours_per_day, OLD.allocation_percentage, OLD.commitment, OLD.cancelled_at IS NOT NULL,
        OLD.required_skill_ids, OLD.required_levels, OLD.labels, OLD.start_date, OLD.end_date);
    NEW.version := OLD.version + 1;
    NEW.version_from := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER resource_allocations_versions BEFORE INSERT OR UPDATE ON resource_allocations
    FOR EACH ROW EXECUTE FUNCTION keep_allocation_version();

-- The booking as it was decided for the person and the project that it is for now: the first version since it was given to
-- them. A booking that is given to somebody else is decided anew at that moment.
CREATE FUNCTION decided_version(booking resource_allocations) RETURNS allocation_versions
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT v.* FROM (
        SELECT * FROM allocation_versions WHERE allocation_id = booking.id
        UNION ALL
        SELECT booking.id, booking.version, booking.version_from, 'infinity'::timestamptz, booking.employee_id, booking.project_id,
            booking.allocated_hours, booking.hours_per_day, booking.allocation_percentage, booking.commitment,
            booking.cancelled_at IS NOT NULL, booking.required_skill_ids, booking.required_levels, booking.labels,
            booking.start_date, booking.end_date) v
    WHERE v.version > coalesce((
        SELECT max(moved.version) FROM allocation_versions moved
        WHERE moved.allocation_id = booking.id
            AND (moved.employee_id, moved.project_id) <> (booking.employee_id, booking.project_id)), 0)
    ORDER BY v.version LIMIT 1
$$;

CREATE TABLE project_versions (
    project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE,
    version integer NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    status text NOT NULL,
    completion_percentage double precision,
    start_date date,
    estimated_end_date date,
    end_date date,
    required_skill_ids uuid[] NOT NULL,
    required_levels smallint[] NOT NULL,
    PRIMARY KEY (project_id, version)
);

ALTER TABLE projects
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN version_from timestamptz NOT NULL DEFAULT now();
UPDATE projects SET version_from = created_at;

CREATE FUNCTION keep_project_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.version := OLD.version;
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

CREATE TRIGGER projects_versions BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION keep_project_version();
