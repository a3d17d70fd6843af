-- What makes the history feed complete: an employee changes with his skills, and what is deleted leaves a tombstone.

CREATE TABLE removed_rows (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('employee', 'project', 'allocation', 'capacity')),
    -- The row's id; for capacity the employee's.
    id uuid NOT NULL,
    -- Only for capacity.
    date date,
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX removed_rows_by_change ON removed_rows (changed_in);

CREATE FUNCTION leave_tombstone() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_ARGV[0] = 'capacity' THEN
        INSERT INTO removed_rows (kind, id, date) VALUES ('capacity', OLD.employee_id, OLD.date);
    ELSE
        INSERT INTO removed_rows (kind, id) VALUES (TG_ARGV[0], OLD.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER employees_tombstone AFTER DELETE ON employees
    FOR EACH ROW EXECUTE FUNCTION leave_tombstone('employee');
CREATE TRIGGER projects_tombstone AFTER DELETE ON projects
    FOR EACH ROW EXECUTE FUNCTION leave_tombstone('project');
CREATE TRIGGER resource_allocations_tombstone AFTER DELETE ON resource_allocations
    FOR EACH ROW EXECUTE FUNCTION leave_tombstone('allocation');
CREATE TRIGGER capacity_history_tombstone AFTER DELETE ON capacity_history
    FOR EACH ROW EXECUTE FUNCTION leave_tombstone('capacity');

-- Once per statement: a row trigger would visit an employee again for each of his skills.
CREATE FUNCTION touch_employees() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE employees SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT employee_id FROM affected) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$;

CREATE TRIGGER employee_skills_added AFTER INSERT ON employee_skills
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER employee_skills_changed AFTER UPDATE ON employee_skills
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER employee_skills_removed AFTER DELETE ON employee_skills
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

-- The feed names skills, so a renamed one changes everybody who has it.
CREATE FUNCTION touch_skilled() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE employees SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT employee_id FROM employee_skills WHERE skill_id = NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER skills_renamed AFTER UPDATE OF name ON skills
    FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION touch_skilled();
