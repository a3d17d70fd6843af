-- What reports reckon with.

-- Mondays to Fridays from the first to the last day, both included; 0 when the last comes before the first. Nobody's
-- holidays are known. 0001-01-01 was a Monday.
CREATE FUNCTION working_days(first_day date, last_day date) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN last_day < first_day THEN 0 ELSE
        ((last_day + 1 - date '0001-01-01') / 7 * 5 + least((last_day + 1 - date '0001-01-01') % 7, 5))
        - ((first_day - date '0001-01-01') / 7 * 5 + least((first_day - date '0001-01-01') % 7, 5))
    END
$$;

-- The last day of an allocation: as planned, or else, for as long as its hours last at its percentage of the person's
-- week, five days a week (the same as predictions take it).
CREATE FUNCTION planned_last_day(
    first_day date, last_day date, hours double precision, percentage double precision, weekly_hours double precision
) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(last_day, CASE
        WHEN weekly_hours <= 0 OR n.days <= 0 THEN first_day
        ELSE first_day + (n.days / 5 * 7 + n.days % 5
            + CASE WHEN n.weekday < 5 AND n.days % 5 > 0 AND n.weekday + n.days % 5 > 5 THEN 2 ELSE 0 END - 1)
        END)
    FROM (SELECT extract(isodow FROM first_day)::integer - 1 AS weekday, least(2600, greatest(1, ceil(
        hours / nullif(weekly_hours / 5 * CASE WHEN percentage > 0 THEN percentage / 100 ELSE 1 END, 0))))::integer AS days) n
$$;
