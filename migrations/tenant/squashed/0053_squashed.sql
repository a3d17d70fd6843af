-- Made by compose/squash-migrations. What the migrations up to
-- 0053_audit_link.sql
-- give in an empty schema, in little more than half of their time. New tenants are made by this file and the migrations after it.

-- Functions come before the tables that they read.
SET LOCAL check_function_bodies = off;

CREATE TABLE audit_logs (
    seq bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    entity text NOT NULL,
    entity_id text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    address text,
    agent text
);

CREATE FUNCTION audit_canonical(entry audit_logs) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    SELECT (jsonb_build_array(
        entry.seq, to_char(entry.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.actor, entry.action, entry.entity, entry.entity_id, entry.details, entry.request_id)
        || CASE WHEN entry.address IS NULL AND entry.agent IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(entry.address, entry.agent) END)::text
$$;

CREATE FUNCTION audit_first_break() RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path FROM CURRENT
    AS $$
DECLARE
    expected_seq bigint := 0;
    expected_hash bytea := '\x';
    link audit_logs;
    head audit_head;
BEGIN
    FOR link IN SELECT * FROM audit_logs ORDER BY seq LOOP
        expected_seq := expected_seq + 1;
        IF link.seq <> expected_seq OR link.previous_hash <> expected_hash
            OR link.hash <> sha256(link.previous_hash || convert_to(audit_canonical(link), 'UTF8'))
        THEN
            RETURN expected_seq;
        END IF;
        expected_hash := link.hash;
    END LOOP;
    SELECT * INTO STRICT head FROM audit_head;
    IF head.seq <> expected_seq OR head.hash <> expected_hash THEN
        RETURN expected_seq + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION audit_hash(previous bytea, seq bigint, occurred_at timestamp with time zone, actor text, action text, entity text, entity_id text, details jsonb, request_id text) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        seq, to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        actor, action, entity, entity_id, details, request_id)::text, 'UTF8'))
$$;

CREATE FUNCTION audit_link() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.occurred_at := clock_timestamp();
    NEW.previous_hash := head.hash;
    NEW.hash := sha256(NEW.previous_hash || convert_to((jsonb_build_array(
        NEW.seq, to_char(NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        NEW.actor, NEW.action, NEW.entity, NEW.entity_id, NEW.details, NEW.request_id)
        || CASE WHEN NEW.address IS NULL AND NEW.agent IS NULL THEN '[]'::jsonb
            ELSE jsonb_build_array(NEW.address, NEW.agent) END)::text, 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'audit_logs is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE allocation_versions (
    allocation_id uuid NOT NULL,
    version integer NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_until timestamp with time zone NOT NULL,
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
    title text
);

CREATE TABLE resource_allocations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    external_id text NOT NULL,
    employee_id uuid NOT NULL,
    project_id uuid NOT NULL,
    allocation_percentage double precision,
    allocated_hours double precision,
    planned_hours double precision,
    actual_hours double precision,
    labels jsonb DEFAULT '{}'::jsonb NOT NULL,
    start_date date NOT NULL,
    end_date date,
    completed_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    required_skill_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    required_levels smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    hours_per_day double precision,
    commitment text DEFAULT 'hard'::text NOT NULL,
    cancelled_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    version_from timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    history_known boolean DEFAULT true NOT NULL,
    title text,
    CONSTRAINT resource_allocations_actual_hours_check CHECK (((actual_hours >= (0)::double precision) AND (actual_hours <= (1000000)::double precision))),
    CONSTRAINT resource_allocations_allocated_hours_check CHECK (((allocated_hours >= (0)::double precision) AND (allocated_hours <= (1000000)::double precision))),
    CONSTRAINT resource_allocations_allocation_percentage_check CHECK (((allocation_percentage >= (0)::double precision) AND (allocation_percentage <= (100)::double precision))),
    CONSTRAINT resource_allocations_commitment_check CHECK ((commitment = ANY (ARRAY['hard'::text, 'soft'::text]))),
    CONSTRAINT resource_allocations_completed_after_created CHECK ((completed_at >= created_at)),
    CONSTRAINT resource_allocations_end_after_start CHECK ((end_date >= start_date)),
    CONSTRAINT resource_allocations_external_id_check CHECK ((external_id <> ''::text)),
    CONSTRAINT resource_allocations_hours_per_day_check CHECK (((hours_per_day >= (0)::double precision) AND (hours_per_day <= (24)::double precision))),
    CONSTRAINT resource_allocations_labels_check CHECK ((jsonb_typeof(labels) = 'object'::text)),
    CONSTRAINT resource_allocations_required_levels CHECK ((cardinality(required_levels) = cardinality(required_skill_ids)))
);

CREATE FUNCTION decided_version(booking resource_allocations) RETURNS allocation_versions
    LANGUAGE sql STABLE
    SET search_path FROM CURRENT
    AS $$
    WITH v AS (
        SELECT * FROM allocation_versions WHERE allocation_id = booking.id
        UNION ALL
        SELECT booking.id, booking.version, booking.version_from, 'infinity'::timestamptz, booking.employee_id, booking.project_id,
            booking.allocated_hours, booking.hours_per_day, booking.allocation_percentage, booking.commitment,
            booking.cancelled_at IS NOT NULL, booking.required_skill_ids, booking.required_levels, booking.labels,
            booking.start_date, booking.end_date, booking.title),
    -- Brought by an import, the first version may begin after the completion.
    held AS (
        SELECT version, employee_id, project_id FROM v
        ORDER BY valid_from <= coalesce(booking.completed_at, 'infinity') DESC,
            CASE WHEN valid_from <= coalesce(booking.completed_at, 'infinity') THEN version ELSE -version END DESC
        LIMIT 1)
    SELECT v.* FROM v, held
    WHERE v.version > coalesce((
        SELECT max(moved.version) FROM v moved
        WHERE moved.version < held.version
            AND (moved.employee_id, moved.project_id) <> (held.employee_id, held.project_id)), 0)
    ORDER BY v.version LIMIT 1
$$;

CREATE FUNCTION feed_note() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
BEGIN
    INSERT INTO feed_commits AS c (transaction_id) VALUES (pg_current_xact_id())
    ON CONFLICT (transaction_id) DO UPDATE SET number = NULL, token = NULL WHERE c.number IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION feed_number() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION five_equal_days(weekly_hours double precision) RETURNS integer[]
    LANGUAGE sql IMMUTABLE STRICT
    AS $$
    SELECT array_agg(CASE WHEN day > 5 THEN 0 ELSE minutes / 5 + (day <= minutes % 5)::integer END ORDER BY day)
    FROM generate_series(1, 7) day, (SELECT round(weekly_hours::numeric * 60)::integer AS minutes) w
$$;

CREATE FUNCTION folded(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT replace(normalize(lower(normalize(btrim(regexp_replace(translate(name,
        E'\t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
        '                        '), ' +', ' ', 'g'), ' '), NFC) COLLATE "und-x-icu"), NFC), 'ς', 'σ')
$$;

CREATE FUNCTION insert_person() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION keep_allocation_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION keep_archived_id() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
DECLARE
    wanted text;
    archived uuid;
BEGIN
    -- One after the other: a record without that column is asked for nothing it lacks.
    IF TG_TABLE_NAME = 'departments' THEN wanted := folded(NEW.name); ELSE wanted := NEW.external_id; END IF;
    SELECT a.id INTO archived FROM archived_ids a WHERE a.kind = TG_TABLE_NAME AND a.key = wanted;
    IF FOUND THEN NEW.id := archived; END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION keep_planned_hours() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.planned_hours := coalesce(NEW.planned_hours, NEW.allocated_hours);
    ELSIF NEW.planned_hours IS DISTINCT FROM OLD.planned_hours THEN
        RAISE EXCEPTION 'planned_hours never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION keep_project_version() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION keep_required_skill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION keep_spells_apart() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION leave_tombstone() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
BEGIN
    IF TG_ARGV[0] = 'capacity' THEN
        INSERT INTO removed_rows (kind, id, date) VALUES ('capacity', OLD.employee_id, OLD.date);
    ELSE
        INSERT INTO removed_rows (kind, id) VALUES (TG_ARGV[0], OLD.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION name_skill() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION set_employment(person uuid, hired date, latest_left date, wanted_left date) RETURNS void
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION set_weekly_hours(person uuid, from_day date, hours double precision) RETURNS void
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION skill_named(word text) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION skills_changed_since(watermark xid8) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path FROM CURRENT
    AS $$
    SELECT coalesce(array_agg(id), '{}') FROM skills WHERE changed_in >= watermark
$$;

CREATE FUNCTION stamp_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id();
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION stamp_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION tenant_today() RETURNS date
    LANGUAGE sql STABLE
    SET search_path FROM CURRENT
    AS $$
    SELECT (now() AT TIME ZONE tenant_zone())::date
$$;

CREATE FUNCTION tenant_zone() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION tidied(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT normalize(btrim(name,
        E' \t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'), NFC)
$$;

CREATE FUNCTION touch_calendars() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE calendars SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT calendar_id FROM affected) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$;

CREATE FUNCTION touch_employees() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE employees SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT employee_id FROM affected) AND changed_in <> pg_current_xact_id();
    RETURN NULL;
END
$$;

CREATE FUNCTION touch_skilled() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE employees SET changed_in = pg_current_xact_id()
    WHERE id IN (SELECT employee_id FROM employee_skills WHERE skill_id = NEW.id);
    RETURN NULL;
END
$$;

CREATE FUNCTION update_person() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
    AS $$
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

CREATE FUNCTION users_count_password() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF current_setting('erm.same_password', true) IS DISTINCT FROM 'yes' THEN
        NEW.credential_version := OLD.credential_version + 1;
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION users_end_sessions() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.credential_version := OLD.credential_version + 1;
    RETURN NEW;
END
$$;

CREATE TABLE archived_audit_logs (
    number bigint NOT NULL,
    line text NOT NULL
);

ALTER TABLE archived_audit_logs ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archived_audit_logs_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE archived_ids (
    kind text NOT NULL,
    key text NOT NULL,
    id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE audit_head (
    singleton boolean DEFAULT true NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_head_singleton_check CHECK (singleton)
);

CREATE TABLE audit_notes (
    id uuid NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE audit_personal_values (
    seq bigint NOT NULL,
    place text NOT NULL,
    salt bytea NOT NULL,
    value text NOT NULL,
    CONSTRAINT audit_personal_values_salt_check CHECK ((octet_length(salt) = 32))
);

CREATE TABLE calendars (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    folded_name text GENERATED ALWAYS AS (folded(name)) STORED,
    is_default boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT calendars_name_check CHECK ((name <> ''::text))
);

CREATE TABLE capacity_history (
    employee_id uuid NOT NULL,
    date date NOT NULL,
    utilization_rate double precision NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT capacity_history_utilization_rate_check CHECK (((utilization_rate >= (0)::double precision) AND (utilization_rate <= (10000)::double precision)))
);

CREATE TABLE contracts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    employee_id uuid NOT NULL,
    effective_from date,
    weekday_minutes integer[] NOT NULL,
    calendar_id uuid,
    CONSTRAINT contracts_weekday_minutes_check CHECK (((cardinality(weekday_minutes) = 7) AND (0 <= ALL (weekday_minutes)) AND (2016 >= ALL (weekday_minutes))))
);

CREATE TABLE departments (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    folded_name text GENERATED ALWAYS AS (folded(name)) STORED,
    CONSTRAINT departments_name_check CHECK ((name <> ''::text))
);

CREATE TABLE employee_skills (
    employee_id uuid NOT NULL,
    skill_id uuid NOT NULL,
    level smallint,
    since date,
    CONSTRAINT employee_skills_level_check CHECK (((level >= 1) AND (level <= 5)))
);

CREATE TABLE employees (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    email text,
    department_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    held_from date,
    CONSTRAINT employees_external_id_check CHECK ((external_id <> ''::text)),
    CONSTRAINT employees_name_check CHECK ((name <> ''::text))
);

CREATE TABLE employment_spells (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    employee_id uuid NOT NULL,
    first_day date,
    last_day date,
    CONSTRAINT employment_spells_in_order CHECK ((last_day >= first_day))
);

CREATE TABLE feed_commits (
    transaction_id xid8 NOT NULL,
    number bigint,
    token uuid,
    committed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feed_commits_whole CHECK (((number IS NULL) = (token IS NULL)))
);

CREATE TABLE feed_head (
    singleton boolean DEFAULT true NOT NULL,
    number bigint NOT NULL,
    token uuid NOT NULL,
    CONSTRAINT feed_head_singleton_check CHECK (singleton)
);

CREATE TABLE holidays (
    calendar_id uuid NOT NULL,
    date date NOT NULL,
    name text NOT NULL,
    minutes_off integer,
    CONSTRAINT holidays_minutes_off_check CHECK (((minutes_off >= 1) AND (minutes_off <= 1440))),
    CONSTRAINT holidays_name_check CHECK ((name <> ''::text))
);

CREATE TABLE idempotency_keys (
    key text NOT NULL,
    actor text NOT NULL,
    request_sha256 bytea NOT NULL,
    answer jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE imports (
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    on_error text NOT NULL,
    rows_read bigint NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    rejected bigint NOT NULL,
    errors jsonb NOT NULL,
    actor text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    received_bytes bigint DEFAULT 0 NOT NULL,
    cleared bigint DEFAULT 0 NOT NULL,
    warnings jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT imports_on_error_check CHECK ((on_error = ANY (ARRAY['abort'::text, 'skip'::text]))),
    CONSTRAINT imports_status_check CHECK ((status = ANY (ARRAY['applied'::text, 'rejected'::text])))
);

CREATE TABLE imports_under_way (
    id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    received_bytes bigint NOT NULL,
    rows_read bigint NOT NULL,
    rejected bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT imports_under_way_status_check CHECK ((status = ANY (ARRAY['receiving'::text, 'applying'::text])))
);

CREATE TABLE invitations (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    role_ids uuid[] NOT NULL,
    invited_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    email_key text GENERATED ALWAYS AS (replace(folded(email), 'ß'::text, 'ss'::text)) STORED,
    CONSTRAINT invitations_name_check CHECK ((name <> ''::text)),
    CONSTRAINT invitations_one_end CHECK (((accepted_at IS NULL) OR (revoked_at IS NULL)))
);

CREATE TABLE leave (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    external_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    employee_id uuid NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    minutes_per_day integer,
    kind text DEFAULT 'leave'::text NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT leave_external_id_check CHECK ((external_id <> ''::text)),
    CONSTRAINT leave_in_order CHECK ((last_day >= first_day)),
    CONSTRAINT leave_kind_check CHECK ((kind <> ''::text)),
    CONSTRAINT leave_minutes_per_day_check CHECK (((minutes_per_day >= 1) AND (minutes_per_day <= 1440))),
    CONSTRAINT leave_status_check CHECK ((status = ANY (ARRAY['requested'::text, 'approved'::text])))
);

CREATE TABLE one_time_tokens (
    token_sha256 bytea NOT NULL,
    user_id uuid,
    invitation_id uuid,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT one_time_tokens_for_one CHECK ((num_nonnulls(user_id, invitation_id) = 1))
);

CREATE VIEW people AS
 SELECT e.id,
    e.external_id,
    e.name,
    e.email,
    e.department_id,
    e.held_from,
    s.first_day AS hired_on,
    s.last_day AS left_on,
    c.weekly_capacity_hours,
    c.effective_from,
    NULL::date AS hours_from,
    e.created_at,
    e.updated_at,
    e.changed_in
   FROM ((employees e
     LEFT JOIN LATERAL ( SELECT employment_spells.first_day,
            employment_spells.last_day
           FROM employment_spells
          WHERE (employment_spells.employee_id = e.id)
          ORDER BY COALESCE(employment_spells.first_day, '-infinity'::date) DESC
         LIMIT 1) s ON (true))
     LEFT JOIN LATERAL ( SELECT contracts.effective_from,
            ((( SELECT sum(m.m) AS sum
                   FROM unnest(contracts.weekday_minutes) m(m)))::double precision / (60.0)::double precision) AS weekly_capacity_hours
           FROM contracts
          WHERE (contracts.employee_id = e.id)
          ORDER BY COALESCE((contracts.effective_from > ( SELECT tenant_today() AS tenant_today)), false),
                CASE
                    WHEN (contracts.effective_from > ( SELECT tenant_today() AS tenant_today)) THEN contracts.effective_from
                    ELSE NULL::date
                END, contracts.effective_from DESC NULLS LAST
         LIMIT 1) c ON (true));

CREATE TABLE project_versions (
    project_id uuid NOT NULL,
    version integer NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    status text NOT NULL,
    completion_percentage double precision,
    start_date date,
    estimated_end_date date,
    end_date date,
    required_skill_ids uuid[] NOT NULL,
    required_levels smallint[] NOT NULL
);

CREATE TABLE projects (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    external_id text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    completion_percentage double precision,
    start_date date,
    estimated_end_date date,
    end_date date,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    required_skill_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    required_levels smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    version_from timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT projects_completion_percentage_check CHECK (((completion_percentage >= (0)::double precision) AND (completion_percentage <= (100)::double precision))),
    CONSTRAINT projects_end_after_start CHECK ((end_date >= start_date)),
    CONSTRAINT projects_estimated_end_after_start CHECK ((estimated_end_date >= start_date)),
    CONSTRAINT projects_external_id_check CHECK ((external_id <> ''::text)),
    CONSTRAINT projects_name_check CHECK ((name <> ''::text)),
    CONSTRAINT projects_required_levels CHECK ((cardinality(required_levels) = cardinality(required_skill_ids))),
    CONSTRAINT projects_status_check CHECK ((status = ANY (ARRAY['planned'::text, 'in_progress'::text, 'on_hold'::text, 'completed'::text, 'cancelled'::text])))
);

CREATE TABLE removed_rows (
    number bigint NOT NULL,
    kind text NOT NULL,
    id uuid NOT NULL,
    date date,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT removed_rows_kind_check CHECK ((kind = ANY (ARRAY['employee'::text, 'project'::text, 'allocation'::text, 'capacity'::text, 'calendar'::text])))
);

ALTER TABLE removed_rows ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME removed_rows_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE roles (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    permissions jsonb NOT NULL,
    is_builtin boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT roles_name_check CHECK ((name <> ''::text)),
    CONSTRAINT roles_permissions_check CHECK ((jsonb_typeof(permissions) = 'array'::text))
);

CREATE TABLE skill_names (
    folded text NOT NULL,
    skill_id uuid NOT NULL,
    name text NOT NULL,
    is_alias boolean NOT NULL,
    CONSTRAINT skill_names_folded_check CHECK ((folded <> ''::text))
);

CREATE TABLE skills (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    category text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT skills_name_check CHECK ((name <> ''::text))
);

CREATE TABLE tenant_settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT tenant_settings_key_check CHECK ((key <> ''::text))
);

CREATE TABLE user_roles (
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    granted_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text,
    is_active boolean DEFAULT true NOT NULL,
    permissions jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    credential_version integer DEFAULT 1 NOT NULL,
    email_key text GENERATED ALWAYS AS (replace(folded(email), 'ß'::text, 'ss'::text)) STORED,
    address_taken_by uuid,
    CONSTRAINT users_credential_version_check CHECK ((credential_version > 0)),
    CONSTRAINT users_name_check CHECK ((name <> ''::text)),
    CONSTRAINT users_permissions_check CHECK ((jsonb_typeof(permissions) = 'array'::text))
);

ALTER TABLE ONLY allocation_versions
    ADD CONSTRAINT allocation_versions_pkey PRIMARY KEY (allocation_id, version);

ALTER TABLE ONLY archived_audit_logs
    ADD CONSTRAINT archived_audit_logs_pkey PRIMARY KEY (number);

ALTER TABLE ONLY archived_ids
    ADD CONSTRAINT archived_ids_pkey PRIMARY KEY (kind, key);

ALTER TABLE ONLY audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY audit_logs
    ADD CONSTRAINT audit_logs_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY audit_notes
    ADD CONSTRAINT audit_notes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY audit_personal_values
    ADD CONSTRAINT audit_personal_values_pkey PRIMARY KEY (seq, place);

ALTER TABLE ONLY calendars
    ADD CONSTRAINT calendars_name_key UNIQUE (folded_name);

ALTER TABLE ONLY calendars
    ADD CONSTRAINT calendars_pkey PRIMARY KEY (id);

ALTER TABLE ONLY capacity_history
    ADD CONSTRAINT capacity_history_pkey PRIMARY KEY (employee_id, date);

ALTER TABLE ONLY contracts
    ADD CONSTRAINT contracts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY departments
    ADD CONSTRAINT departments_name_key UNIQUE (folded_name);

ALTER TABLE ONLY departments
    ADD CONSTRAINT departments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY employee_skills
    ADD CONSTRAINT employee_skills_pkey PRIMARY KEY (employee_id, skill_id);

ALTER TABLE ONLY employees
    ADD CONSTRAINT employees_external_id_key UNIQUE (external_id);

ALTER TABLE ONLY employees
    ADD CONSTRAINT employees_pkey PRIMARY KEY (id);

ALTER TABLE ONLY employment_spells
    ADD CONSTRAINT employment_spells_pkey PRIMARY KEY (id);

ALTER TABLE ONLY feed_commits
    ADD CONSTRAINT feed_commits_number_key UNIQUE (number);

ALTER TABLE ONLY feed_commits
    ADD CONSTRAINT feed_commits_pkey PRIMARY KEY (transaction_id);

ALTER TABLE ONLY feed_head
    ADD CONSTRAINT feed_head_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY holidays
    ADD CONSTRAINT holidays_pkey PRIMARY KEY (calendar_id, date);

ALTER TABLE ONLY idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor, key);

ALTER TABLE ONLY imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY imports_under_way
    ADD CONSTRAINT imports_under_way_pkey PRIMARY KEY (id);

ALTER TABLE ONLY invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY leave
    ADD CONSTRAINT leave_external_id_key UNIQUE (external_id);

ALTER TABLE ONLY leave
    ADD CONSTRAINT leave_pkey PRIMARY KEY (id);

ALTER TABLE ONLY one_time_tokens
    ADD CONSTRAINT one_time_tokens_pkey PRIMARY KEY (token_sha256);

ALTER TABLE ONLY project_versions
    ADD CONSTRAINT project_versions_pkey PRIMARY KEY (project_id, version);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_external_id_key UNIQUE (external_id);

ALTER TABLE ONLY projects
    ADD CONSTRAINT projects_pkey PRIMARY KEY (id);

ALTER TABLE ONLY removed_rows
    ADD CONSTRAINT removed_rows_pkey PRIMARY KEY (number);

ALTER TABLE ONLY resource_allocations
    ADD CONSTRAINT resource_allocations_external_id_key UNIQUE (external_id);

ALTER TABLE ONLY resource_allocations
    ADD CONSTRAINT resource_allocations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY roles
    ADD CONSTRAINT roles_name_key UNIQUE (name);

ALTER TABLE ONLY roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY skill_names
    ADD CONSTRAINT skill_names_pkey PRIMARY KEY (folded);

ALTER TABLE ONLY skills
    ADD CONSTRAINT skills_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant_settings
    ADD CONSTRAINT tenant_settings_pkey PRIMARY KEY (key);

ALTER TABLE ONLY user_roles
    ADD CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id);

ALTER TABLE ONLY users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX audit_logs_by_actor ON audit_logs USING btree (actor, seq);

CREATE INDEX audit_logs_by_entity ON audit_logs USING btree (entity, entity_id, seq);

CREATE INDEX audit_logs_by_time ON audit_logs USING btree (occurred_at);

CREATE INDEX calendars_by_change ON calendars USING btree (changed_in);

CREATE UNIQUE INDEX calendars_one_default ON calendars USING btree (is_default) WHERE is_default;

CREATE INDEX capacity_history_by_change ON capacity_history USING btree (changed_in);

CREATE INDEX contracts_by_calendar ON contracts USING btree (calendar_id);

CREATE UNIQUE INDEX contracts_effective_from_key ON contracts USING btree (employee_id, COALESCE(effective_from, '-infinity'::date));

CREATE INDEX employee_skills_by_skill ON employee_skills USING btree (skill_id);

CREATE INDEX employees_by_change ON employees USING btree (changed_in);

CREATE INDEX employees_by_department ON employees USING btree (department_id);

CREATE INDEX employees_by_email ON employees USING btree (lower(email));

CREATE INDEX employees_by_name ON employees USING btree (folded(name));

CREATE INDEX employment_spells_by_employee ON employment_spells USING btree (employee_id, first_day);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING btree (created_at);

CREATE INDEX imports_by_age ON imports USING btree (created_at, id);

CREATE INDEX invitations_by_age ON invitations USING btree (created_at, id);

CREATE UNIQUE INDEX invitations_open_key ON invitations USING btree (email_key) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX leave_by_change ON leave USING btree (changed_in);

CREATE INDEX leave_by_employee ON leave USING btree (employee_id, first_day);

CREATE INDEX one_time_tokens_by_invitation ON one_time_tokens USING btree (invitation_id);

CREATE INDEX one_time_tokens_by_user ON one_time_tokens USING btree (user_id);

CREATE INDEX projects_by_change ON projects USING btree (changed_in);

CREATE INDEX projects_by_skill ON projects USING gin (required_skill_ids);

CREATE INDEX removed_rows_by_change ON removed_rows USING btree (changed_in);

CREATE INDEX resource_allocations_by_change ON resource_allocations USING btree (changed_in);

CREATE INDEX resource_allocations_by_employee ON resource_allocations USING btree (employee_id, start_date);

CREATE INDEX resource_allocations_by_end ON resource_allocations USING btree (end_date);

CREATE INDEX resource_allocations_by_project ON resource_allocations USING btree (project_id);

CREATE INDEX resource_allocations_by_skill ON resource_allocations USING gin (required_skill_ids);

CREATE INDEX skill_names_by_skill ON skill_names USING btree (skill_id);

CREATE INDEX skills_by_change ON skills USING btree (changed_in);

CREATE INDEX skills_by_name ON skills USING btree (name);

CREATE INDEX user_roles_by_role ON user_roles USING btree (role_id);

CREATE UNIQUE INDEX users_email_key ON users USING btree (email_key) WHERE (address_taken_by IS NULL);

CREATE TRIGGER archived_audit_logs_append_only BEFORE DELETE OR TRUNCATE ON archived_audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER archived_audit_logs_unchanged BEFORE UPDATE ON archived_audit_logs FOR EACH STATEMENT WHEN ((current_setting('erm.forgets_person'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER archived_id BEFORE INSERT ON departments FOR EACH ROW EXECUTE FUNCTION keep_archived_id();

ALTER TABLE departments DISABLE TRIGGER archived_id;

CREATE TRIGGER archived_id BEFORE INSERT ON employees FOR EACH ROW EXECUTE FUNCTION keep_archived_id();

ALTER TABLE employees DISABLE TRIGGER archived_id;

CREATE TRIGGER archived_id BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION keep_archived_id();

ALTER TABLE projects DISABLE TRIGGER archived_id;

CREATE TRIGGER archived_id BEFORE INSERT ON resource_allocations FOR EACH ROW EXECUTE FUNCTION keep_archived_id();

ALTER TABLE resource_allocations DISABLE TRIGGER archived_id;

CREATE TRIGGER audit_logs_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_logs_link BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_link();

CREATE TRIGGER calendars_stamp BEFORE UPDATE ON calendars FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER calendars_tombstone AFTER DELETE ON calendars FOR EACH ROW EXECUTE FUNCTION leave_tombstone('calendar');

CREATE TRIGGER capacity_history_stamp BEFORE UPDATE ON capacity_history FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER capacity_history_tombstone AFTER DELETE ON capacity_history FOR EACH ROW EXECUTE FUNCTION leave_tombstone('capacity');

CREATE TRIGGER contracts_added AFTER INSERT ON contracts REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER contracts_changed AFTER UPDATE ON contracts REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER contracts_removed AFTER DELETE ON contracts REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER departments_stamp BEFORE UPDATE ON departments FOR EACH ROW EXECUTE FUNCTION stamp_update();

CREATE TRIGGER employee_skills_added AFTER INSERT ON employee_skills REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER employee_skills_changed AFTER UPDATE ON employee_skills REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER employee_skills_removed AFTER DELETE ON employee_skills REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER employees_stamp BEFORE UPDATE ON employees FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER employees_tombstone AFTER DELETE ON employees FOR EACH ROW EXECUTE FUNCTION leave_tombstone('employee');

CREATE TRIGGER employment_spells_added AFTER INSERT ON employment_spells REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER employment_spells_apart AFTER INSERT OR UPDATE ON employment_spells FOR EACH ROW EXECUTE FUNCTION keep_spells_apart();

CREATE TRIGGER employment_spells_changed AFTER UPDATE ON employment_spells REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER employment_spells_removed AFTER DELETE ON employment_spells REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE CONSTRAINT TRIGGER feed_commits_number AFTER INSERT OR UPDATE ON feed_commits DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.number IS NULL)) EXECUTE FUNCTION feed_number();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON calendars FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON capacity_history FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON employees FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON leave FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON removed_rows FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON resource_allocations FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER feed_note AFTER INSERT OR UPDATE ON skills FOR EACH STATEMENT EXECUTE FUNCTION feed_note();

CREATE TRIGGER holidays_added AFTER INSERT ON holidays REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();

CREATE TRIGGER holidays_changed AFTER UPDATE ON holidays REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();

CREATE TRIGGER holidays_removed AFTER DELETE ON holidays REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_calendars();

CREATE TRIGGER leave_added AFTER INSERT ON leave REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER leave_changed AFTER UPDATE ON leave REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER leave_changed_from AFTER UPDATE ON leave REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER leave_removed AFTER DELETE ON leave REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION touch_employees();

CREATE TRIGGER leave_stamp BEFORE UPDATE ON leave FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER people_insert INSTEAD OF INSERT ON people FOR EACH ROW EXECUTE FUNCTION insert_person();

CREATE TRIGGER people_update INSTEAD OF UPDATE ON people FOR EACH ROW EXECUTE FUNCTION update_person();

CREATE TRIGGER projects_stamp BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER projects_tombstone AFTER DELETE ON projects FOR EACH ROW EXECUTE FUNCTION leave_tombstone('project');

CREATE TRIGGER projects_versions BEFORE UPDATE ON projects FOR EACH ROW WHEN ((current_setting('erm.merges_skills'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION keep_project_version();

CREATE TRIGGER resource_allocations_first_version BEFORE INSERT ON resource_allocations FOR EACH ROW WHEN (((new.version <> 1) OR (new.version_from IS DISTINCT FROM new.created_at))) EXECUTE FUNCTION keep_allocation_version();

CREATE TRIGGER resource_allocations_planned BEFORE INSERT ON resource_allocations FOR EACH ROW WHEN (((new.planned_hours IS NULL) AND (new.allocated_hours IS NOT NULL))) EXECUTE FUNCTION keep_planned_hours();

CREATE TRIGGER resource_allocations_planned_once BEFORE UPDATE ON resource_allocations FOR EACH ROW WHEN ((new.planned_hours IS DISTINCT FROM old.planned_hours)) EXECUTE FUNCTION keep_planned_hours();

CREATE TRIGGER resource_allocations_stamp BEFORE UPDATE ON resource_allocations FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER resource_allocations_tombstone AFTER DELETE ON resource_allocations FOR EACH ROW EXECUTE FUNCTION leave_tombstone('allocation');

CREATE TRIGGER resource_allocations_versions BEFORE UPDATE ON resource_allocations FOR EACH ROW WHEN ((current_setting('erm.merges_skills'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION keep_allocation_version();

CREATE TRIGGER skills_named AFTER INSERT ON skills FOR EACH ROW EXECUTE FUNCTION name_skill();

CREATE TRIGGER skills_renamed AFTER UPDATE OF name ON skills FOR EACH ROW WHEN ((new.name <> old.name)) EXECUTE FUNCTION touch_skilled();

CREATE TRIGGER skills_renamed_word AFTER UPDATE OF name ON skills FOR EACH ROW WHEN ((new.name <> old.name)) EXECUTE FUNCTION name_skill();

CREATE TRIGGER skills_required BEFORE DELETE ON skills FOR EACH ROW EXECUTE FUNCTION keep_required_skill();

CREATE TRIGGER skills_stamp BEFORE UPDATE ON skills FOR EACH ROW EXECUTE FUNCTION stamp_change();

CREATE TRIGGER tell_changed AFTER INSERT OR DELETE OR UPDATE ON roles FOR EACH STATEMENT EXECUTE FUNCTION erm_changes.tell('roles');

CREATE TRIGGER tell_changed AFTER UPDATE ON users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION erm_changes.tell('user', 'id');

CREATE TRIGGER tell_gone AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION erm_changes.tell('user', 'id');

CREATE TRIGGER tell_history AFTER INSERT OR UPDATE ON feed_commits FOR EACH ROW WHEN ((new.number IS NULL)) EXECUTE FUNCTION erm_changes.tell('history');

CREATE TRIGGER tell_history AFTER INSERT OR DELETE OR UPDATE ON tenant_settings FOR EACH STATEMENT EXECUTE FUNCTION erm_changes.tell('history');

CREATE TRIGGER tell_roles AFTER INSERT OR DELETE OR UPDATE ON user_roles FOR EACH ROW EXECUTE FUNCTION erm_changes.tell('user', 'user_id');

CREATE TRIGGER users_count_password BEFORE UPDATE ON users FOR EACH ROW WHEN ((new.password_hash IS DISTINCT FROM old.password_hash)) EXECUTE FUNCTION users_count_password();

CREATE TRIGGER users_end_sessions BEFORE UPDATE ON users FOR EACH ROW WHEN ((old.is_active AND (NOT new.is_active))) EXECUTE FUNCTION users_end_sessions();

ALTER TABLE ONLY allocation_versions
    ADD CONSTRAINT allocation_versions_allocation_id_fkey FOREIGN KEY (allocation_id) REFERENCES resource_allocations(id) ON DELETE CASCADE;

ALTER TABLE ONLY capacity_history
    ADD CONSTRAINT capacity_history_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id) ON DELETE CASCADE;

ALTER TABLE ONLY contracts
    ADD CONSTRAINT contracts_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES calendars(id);

ALTER TABLE ONLY contracts
    ADD CONSTRAINT contracts_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id) ON DELETE CASCADE;

ALTER TABLE ONLY employee_skills
    ADD CONSTRAINT employee_skills_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id) ON DELETE CASCADE;

ALTER TABLE ONLY employee_skills
    ADD CONSTRAINT employee_skills_skill_id_fkey FOREIGN KEY (skill_id) REFERENCES skills(id);

ALTER TABLE ONLY employees
    ADD CONSTRAINT employees_department_id_fkey FOREIGN KEY (department_id) REFERENCES departments(id);

ALTER TABLE ONLY employment_spells
    ADD CONSTRAINT employment_spells_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id) ON DELETE CASCADE;

ALTER TABLE ONLY holidays
    ADD CONSTRAINT holidays_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES calendars(id) ON DELETE CASCADE;

ALTER TABLE ONLY leave
    ADD CONSTRAINT leave_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id) ON DELETE CASCADE;

ALTER TABLE ONLY one_time_tokens
    ADD CONSTRAINT one_time_tokens_invitation_id_fkey FOREIGN KEY (invitation_id) REFERENCES invitations(id) ON DELETE CASCADE;

ALTER TABLE ONLY one_time_tokens
    ADD CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY project_versions
    ADD CONSTRAINT project_versions_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id) ON DELETE CASCADE;

ALTER TABLE ONLY resource_allocations
    ADD CONSTRAINT resource_allocations_employee_id_fkey FOREIGN KEY (employee_id) REFERENCES employees(id);

ALTER TABLE ONLY resource_allocations
    ADD CONSTRAINT resource_allocations_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects(id);

ALTER TABLE ONLY skill_names
    ADD CONSTRAINT skill_names_skill_id_fkey FOREIGN KEY (skill_id) REFERENCES skills(id) ON DELETE CASCADE;

ALTER TABLE ONLY user_roles
    ADD CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles(id);

ALTER TABLE ONLY user_roles
    ADD CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;

ALTER TABLE ONLY users
    ADD CONSTRAINT users_address_taken_by_fkey FOREIGN KEY (address_taken_by) REFERENCES users(id) ON DELETE SET NULL;

SET LOCAL check_function_bodies TO DEFAULT;

REVOKE UPDATE, DELETE, TRUNCATE ON audit_logs FROM CURRENT_USER;
REVOKE UPDATE, TRUNCATE ON audit_personal_values FROM CURRENT_USER;

INSERT INTO audit_head (seq, hash) VALUES (0, '\x');
INSERT INTO feed_head (number, token) VALUES (0, gen_random_uuid());
INSERT INTO feed_commits (transaction_id, number, token) SELECT '0'::xid8, number, token FROM feed_head;
INSERT INTO calendars (name, is_default) VALUES ('Default', true);
