-- People, work and who does what. Rows that the learning services need carry changed_in, the transaction that last
-- wrote them, and leave a tombstone: see HistoryFeed.

CREATE FUNCTION stamp_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TABLE departments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    description text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT departments_name_key UNIQUE (name)
);

CREATE TABLE skills (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    category text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT skills_name_key UNIQUE (name)
);

CREATE TABLE employees (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_id text NOT NULL CHECK (external_id <> ''),
    name text NOT NULL CHECK (name <> ''),
    email text,
    department_id uuid REFERENCES departments,
    weekly_capacity_hours double precision NOT NULL DEFAULT 40 CHECK (weekly_capacity_hours BETWEEN 0 AND 168),
    is_active boolean NOT NULL DEFAULT true,
    hired_on date,
    left_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT employees_external_id_key UNIQUE (external_id),
    CONSTRAINT employees_left_after_hired CHECK (left_on >= hired_on)
);

CREATE INDEX employees_by_department ON employees (department_id);
CREATE INDEX employees_by_change ON employees (changed_in);

CREATE TABLE employee_skills (
    employee_id uuid NOT NULL REFERENCES employees ON DELETE CASCADE,
    skill_id uuid NOT NULL REFERENCES skills,
    level smallint CHECK (level BETWEEN 1 AND 5),
    since date,
    PRIMARY KEY (employee_id, skill_id)
);

CREATE INDEX employee_skills_by_skill ON employee_skills (skill_id);

CREATE TABLE projects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_id text NOT NULL CHECK (external_id <> ''),
    name text NOT NULL CHECK (name <> ''),
    status text NOT NULL CHECK (status IN ('planned', 'in_progress', 'on_hold', 'completed', 'cancelled')),
    completion_percentage double precision CHECK (completion_percentage BETWEEN 0 AND 100),
    start_date date,
    estimated_end_date date,
    end_date date,
    required_skills text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT projects_external_id_key UNIQUE (external_id),
    CONSTRAINT projects_estimated_end_after_start CHECK (estimated_end_date >= start_date),
    CONSTRAINT projects_end_after_start CHECK (end_date >= start_date)
);

CREATE INDEX projects_by_change ON projects (changed_in);

CREATE TABLE resource_allocations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_id text NOT NULL CHECK (external_id <> ''),
    employee_id uuid NOT NULL REFERENCES employees,
    project_id uuid NOT NULL REFERENCES projects,
    allocation_percentage double precision NOT NULL DEFAULT 100 CHECK (allocation_percentage BETWEEN 0 AND 100),
    allocated_hours double precision NOT NULL CHECK (allocated_hours BETWEEN 0 AND 1000000),
    -- allocated_hours as first written; the trigger fills it and refuses any change.
    planned_hours double precision NOT NULL,
    actual_hours double precision CHECK (actual_hours BETWEEN 0 AND 1000000),
    required_skills text[] NOT NULL DEFAULT '{}',
    labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    start_date date NOT NULL,
    end_date date,
    completed_at timestamptz,
    -- The moment of the decision.
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT resource_allocations_external_id_key UNIQUE (external_id),
    CONSTRAINT resource_allocations_end_after_start CHECK (end_date >= start_date),
    -- An outcome known before the decision would teach a model to look into the future.
    CONSTRAINT resource_allocations_completed_after_created CHECK (completed_at >= created_at)
);

CREATE INDEX resource_allocations_by_employee ON resource_allocations (employee_id, start_date);
CREATE INDEX resource_allocations_by_project ON resource_allocations (project_id);
CREATE INDEX resource_allocations_by_change ON resource_allocations (changed_in);

CREATE TABLE capacity_history (
    employee_id uuid NOT NULL REFERENCES employees ON DELETE CASCADE,
    date date NOT NULL,
    -- Percent of the day's capacity; may exceed 100.
    utilization_rate double precision NOT NULL CHECK (utilization_rate BETWEEN 0 AND 10000),
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (employee_id, date)
);

CREATE INDEX capacity_history_by_change ON capacity_history (changed_in);

CREATE FUNCTION keep_planned_hours() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.planned_hours := coalesce(NEW.planned_hours, NEW.allocated_hours);
    ELSIF NEW.planned_hours IS DISTINCT FROM OLD.planned_hours THEN
        RAISE EXCEPTION 'planned_hours never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER resource_allocations_planned BEFORE INSERT OR UPDATE ON resource_allocations
    FOR EACH ROW EXECUTE FUNCTION keep_planned_hours();

-- Someone whose last day has come is no longer active; is_active may be set otherwise afterwards.
CREATE FUNCTION leave_on_last_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.left_on < current_date AND (TG_OP = 'INSERT' OR NEW.left_on IS DISTINCT FROM OLD.left_on) THEN
        NEW.is_active := false;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER employees_leave BEFORE INSERT OR UPDATE ON employees
    FOR EACH ROW EXECUTE FUNCTION leave_on_last_day();

CREATE TRIGGER employees_stamp BEFORE UPDATE ON employees FOR EACH ROW EXECUTE FUNCTION stamp_change();
CREATE TRIGGER projects_stamp BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION stamp_change();
CREATE TRIGGER resource_allocations_stamp BEFORE UPDATE ON resource_allocations
    FOR EACH ROW EXECUTE FUNCTION stamp_change();
CREATE TRIGGER capacity_history_stamp BEFORE UPDATE ON capacity_history
    FOR EACH ROW EXECUTE FUNCTION stamp_change();
