-- A person's time: when somebody is employed, for how many minutes of which weekdays, on which calendar, and on leave.

-- The tenant's time zone: the setting `timezone`, or UTC where it is not set or not known.
CREATE FUNCTION tenant_zone() RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    zone text;
BEGIN
    SELECT value #>> '{}' INTO zone FROM tenant_settings WHERE key = 'timezone';
    IF zone IS NULL OR zone = 'UTC' THEN
        RETURN 'UTC';
    END IF;
    PERFORM now() AT TIME ZONE zone;
    RETURN zone;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END
$$;

-- Costs a look at the settings: call it as `(select tenant_today())`, once per statement.
CREATE FUNCTION tenant_today() RETURNS date LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT (now() AT TIME ZONE tenant_zone())::date
$$;

-- Hours of a week as minutes of five equal working days; what does not divide goes to the first of them.
CREATE FUNCTION five_equal_days(weekly_hours double precision) RETURNS integer[] LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT array_agg(CASE WHEN day > 5 THEN 0 ELSE minutes / 5 + (day <= minutes % 5)::integer END ORDER BY day)
    FROM generate_series(1, 7) day, (SELECT round(weekly_hours::numeric * 60)::integer AS minutes) w
$$;

CREATE TABLE calendars (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CHECK (name <> ''),
    folded_name text GENERATED ALWAYS AS (folded(name)) STORED,
    -- The calendar of contracts that name none.
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT calendars_name_key UNIQUE (folded_name)
);

CREATE UNIQUE INDEX calendars_one_default ON calendars (is_default) WHERE is_default;
CREATE INDEX calendars_by_change ON calendars (changed_in);
CREATE TRIGGER calendars_stamp BEFORE UPDATE ON calendars FOR EACH ROW EXECUTE FUNCTION stamp_change();
INSERT INTO calendars (name, is_default) VALUES ('Default', true);

CREATE TABLE holidays (
    calendar_id uuid NOT NULL REFERENCES calendars ON DELETE CASCADE,
    date date NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    -- NULL: the whole day.
    minutes_off integer CHECK (minutes_off BETWEEN 1 AND 1440),
    PRIMARY KEY (calendar_id, date)
);

CREATE TABLE employment_spells (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    employee_id uuid NOT NULL REFERENCES employees ON DELETE CASCADE,
    -- Both are worked. NULL: since ever, and until further notice.
    first_day date,
    last_day date,
    CONSTRAINT employment_spells_in_order CHECK (last_day >= first_day)
);

CREATE INDEX employment_spells_by_employee ON employment_spells (employee_id, first_day);

CREATE TABLE contracts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    employee_id uuid NOT NULL REFERENCES employees ON DELETE CASCADE,
    -- NULL: since ever. Before the first contract the first holds.
    effective_from date,
    -- Monday first.
    weekday_minutes integer[] NOT NULL CHECK (
        cardinality(weekday_minutes) = 7 AND 0 <= ALL (weekday_minutes) AND 2016 >= ALL (weekday_minutes)),
    -- NULL: the default calendar.
    calendar_id uuid REFERENCES calendars
);

CREATE UNIQUE INDEX contracts_effective_from_key ON contracts (employee_id, coalesce(effective_from, '-infinity'::date));
CREATE INDEX contracts_by_calendar ON contracts (calendar_id);

CREATE TABLE leave (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_id text NOT NULL DEFAULT gen_random_uuid()::text CHECK (external_id <> ''),
    employee_id uuid NOT NULL REFERENCES employees ON DELETE CASCADE,
    first_day date NOT NULL,
    last_day date NOT NULL,
    -- Of each day; NULL: whole days.
    minutes_per_day integer CHECK (minutes_per_day BETWEEN 1 AND 1440),
    kind text NOT NULL DEFAULT 'leave' CHECK (kind <> ''),
    status text NOT NULL CHECK (status IN ('requested', 'approved')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    changed_in xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT leave_external_id_key UNIQUE (external_id),
    CONSTRAINT leave_in_order CHECK (last_day >= first_day)
);

CREATE INDEX leave_by_employee ON leave (employee_id, first_day);
CREATE INDEX leave_by_change ON leave (changed_in);
CREATE TRIGGER leave_stamp BEFORE UPDATE ON leave FOR EACH ROW EXECUTE FUNCTION stamp_change();

-- A hold: no work is planned for the person from that day on.
ALTER TABLE employees ADD COLUMN held_from date;

-- What each tenant has of people becomes their latest spell and their one contract. Whoever was set inactive without having
-- left is on hold, from the last change of the row at the latest.
INSERT INTO employment_spells (employee_id, first_day, last_day) SELECT id, hired_on, left_on FROM employees;
INSERT INTO contracts (employee_id, effective_from, weekday_minutes)
SELECT id, hired_on, five_equal_days(weekly_capacity_hours) FROM employees;
DROP TRIGGER employees_leave ON employees;
DROP FUNCTION leave_on_last_day();
UPDATE employees SET held_from = least(updated_at::date, current_date)
WHERE NOT is_active AND (left_on IS NULL OR left_on >= current_date);

ALTER TABLE employees
    DROP COLUMN weekly_capacity_hours, DROP COLUMN hired_on, DROP COLUMN left_on, DROP COLUMN is_active;
CREATE INDEX employees_by_name ON employees (folded(name));
CREATE INDEX employees_by_email ON employees (lower(email));

-- Times of one person never overlap. The person's row is locked, so two writers cannot each miss the other's.
CREATE FUNCTION keep_spells_apart() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM FROM employees WHERE id = NEW.employee_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM employment_spells s WHERE s.employee_id = NEW.employee_id AND s.id <> NEW.id
        AND daterange(s.first_day, s.last_day, '[]') && daterange(NEW.first_day, NEW.last_day, '[]'))
    THEN
        RAISE EXCEPTION 'employment spells overlap'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'employment_spells_overlap', TABLE = 'employment_spells';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER employment_spells_apart AFTER INSERT OR UPDATE ON employment_spells
    FOR EACH ROW EXECUTE FUNCTION keep_spells_apart();

-- An employee's line of the history feed carries all of the person's time.
CREATE TRIGGER employment_spells_added AFTER INSERT ON employment_spells
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER employment_spells_changed AFTER UPDATE ON employment_spells
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER employment_spells_removed AFTER DELETE ON employment_spells
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER contracts_added AFTER INSERT ON contracts
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER contracts_changed AFTER UPDATE ON contracts
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER contracts_removed AFTER DELETE ON contracts
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER leave_added AFTER INSERT ON leave
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER leave_changed AFTER UPDATE ON leave
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
-- Leave may be given to another person.
CREATE TRIGGER leave_changed_from AFTER UPDATE ON leave
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();
CREATE TRIGGER leave_removed AFTER DELETE ON leave
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

-- A calendar's line of the feed carries its holidays.
ALTER TABLE removed_rows DROP CONSTRAINT removed_rows_kind_check,
    ADD CONSTRAINT removed_rows_kind_check CHECK (kind IN ('employee', 'project', 'allocation', 'capacity', 'calendar'));
CREATE TRIGGER calendars_tombstone AFTER DELETE ON calendars
    FOR EACH ROW EXECUTE FUNCTION leave_tombstone('calendar');

CREATE FUNCTION touch_calendars() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE calendars SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT calendar_id FROM affected) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$;

CREATE TRIGGER holidays_added AFTER INSERT ON holidays
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();
CREATE TRIGGER holidays_changed AFTER UPDATE ON holidays
    REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();
CREATE TRIGGER holidays_removed AFTER DELETE ON holidays
    REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();

-- People with their latest spell and the contract in force today (else the first), the way an HR file tells of them. Writing
-- to it is the one place where such a row becomes spells and contracts.
CREATE VIEW people AS
SELECT e.id, e.external_id, e.name, e.email, e.department_id, e.held_from, s.first_day AS hired_on, s.last_day AS left_on,
    c.weekly_capacity_hours, c.effective_from,
    -- Only written: the day from which a new weekly_capacity_hours holds.
    NULL::date AS hours_from, e.created_at, e.updated_at, e.changed_in
FROM employees e
LEFT JOIN LATERAL (
    SELECT first_day, last_day FROM employment_spells WHERE employee_id = e.id
    ORDER BY coalesce(first_day, '-infinity') DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT effective_from, (SELECT sum(m) FROM unnest(weekday_minutes) m) / 60.0::double precision AS weekly_capacity_hours
    FROM contracts WHERE employee_id = e.id
    ORDER BY coalesce(effective_from > (SELECT tenant_today()), false),
        CASE WHEN effective_from > (SELECT tenant_today()) THEN effective_from END,
        effective_from DESC NULLS LAST
    LIMIT 1) c ON true;

CREATE FUNCTION insert_person() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO employees (external_id, name, email, department_id, held_from)
    VALUES (NEW.external_id, NEW.name, NEW.email, NEW.department_id, NEW.held_from) RETURNING id INTO NEW.id;
    INSERT INTO employment_spells (employee_id, first_day, last_day) VALUES (NEW.id, NEW.hired_on, NEW.left_on);
    IF NEW.weekly_capacity_hours IS NULL THEN
        SELECT CASE WHEN jsonb_typeof(value) = 'number' THEN value::double precision END INTO NEW.weekly_capacity_hours
        FROM tenant_settings WHERE key = 'default_capacity';
    END IF;
    INSERT INTO contracts (employee_id, effective_from, weekday_minutes)
    VALUES (NEW.id, coalesce(NEW.hours_from, NEW.hired_on), five_equal_days(coalesce(NEW.weekly_capacity_hours, 40)));
    RETURN NEW;
END
$$;

CREATE TRIGGER people_insert INSTEAD OF INSERT ON people FOR EACH ROW EXECUTE FUNCTION insert_person();

-- The spell that a first and a last day speak of: the one that begins on that first day; else, after the end of the latest, a
-- new one; else the latest. A last day that was not given again ends no new spell.
CREATE FUNCTION set_employment(person uuid, hired date, latest_left date, wanted_left date) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    latest employment_spells;
    named employment_spells;
BEGIN
    SELECT * INTO latest FROM employment_spells WHERE employee_id = person
    ORDER BY coalesce(first_day, '-infinity') DESC LIMIT 1;
    SELECT * INTO named FROM employment_spells WHERE employee_id = person AND first_day = hired;
    IF named.id IS NOT NULL THEN
        UPDATE employment_spells SET last_day = wanted_left
        WHERE id = named.id AND last_day IS DISTINCT FROM wanted_left;
    ELSIF latest.id IS NULL OR hired > latest.last_day THEN
        INSERT INTO employment_spells (employee_id, first_day, last_day)
        VALUES (person, hired, CASE WHEN wanted_left IS DISTINCT FROM latest_left THEN wanted_left END);
    ELSE
        UPDATE employment_spells SET first_day = hired, last_day = wanted_left WHERE id = latest.id;
    END IF;
END
$$;

-- From a day on, a week of so many hours. The past keeps its contract, and a later contract stays.
CREATE FUNCTION set_weekly_hours(person uuid, from_day date, hours double precision) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    before contracts;
BEGIN
    SELECT * INTO before FROM contracts WHERE employee_id = person
    ORDER BY coalesce(effective_from, '-infinity') > coalesce(from_day, '-infinity'),
        abs(coalesce(effective_from, '0001-01-01') - coalesce(from_day, '0001-01-01')) LIMIT 1;
    IF (SELECT sum(m) FROM unnest(before.weekday_minutes) m) = round(hours::numeric * 60)
        AND coalesce(before.effective_from, '-infinity') <= coalesce(from_day, '-infinity')
    THEN
        RETURN;
    END IF;
    INSERT INTO contracts (employee_id, effective_from, weekday_minutes, calendar_id)
    VALUES (person, from_day, five_equal_days(hours), before.calendar_id)
    ON CONFLICT (employee_id, coalesce(effective_from, '-infinity'::date))
        DO UPDATE SET weekday_minutes = excluded.weekday_minutes;
END
$$;

CREATE FUNCTION update_person() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE employees SET external_id = NEW.external_id, name = NEW.name, email = NEW.email,
        department_id = NEW.department_id, held_from = NEW.held_from
    WHERE id = OLD.id AND (external_id, name, email, department_id, held_from)
        IS DISTINCT FROM (NEW.external_id, NEW.name, NEW.email, NEW.department_id, NEW.held_from);
    IF (NEW.hired_on, NEW.left_on) IS DISTINCT FROM (OLD.hired_on, OLD.left_on) THEN
        PERFORM set_employment(OLD.id, NEW.hired_on, OLD.left_on, NEW.left_on);
    END IF;
    IF NEW.weekly_capacity_hours <> OLD.weekly_capacity_hours OR NEW.hours_from IS NOT NULL THEN
        -- A contract that is still to come is changed from its own first day.
        PERFORM set_weekly_hours(OLD.id, coalesce(NEW.hours_from, greatest(tenant_today(), OLD.effective_from)),
            NEW.weekly_capacity_hours);
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER people_update INSTEAD OF UPDATE ON people FOR EACH ROW EXECUTE FUNCTION update_person();
