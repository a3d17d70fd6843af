-- The same as before in a language that costs a call microseconds: this one is too large to be inlined.
CREATE OR REPLACE FUNCTION planned_last_day(
    first_day date, last_day date, hours double precision, percentage double precision, weekly_hours double precision
) RETURNS date LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    days integer;
    weekday integer;
BEGIN
    IF last_day IS NOT NULL THEN
        RETURN last_day;
    ELSIF weekly_hours <= 0 THEN
        RETURN first_day;
    END IF;
    days := least(2600, greatest(1, ceil(
        hours / (weekly_hours / 5 * CASE WHEN percentage > 0 THEN percentage / 100 ELSE 1 END))));
    weekday := extract(isodow FROM first_day)::integer - 1;
    RETURN first_day + (days / 5 * 7 + days % 5
        + CASE WHEN weekday < 5 AND days % 5 > 0 AND weekday + days % 5 > 5 THEN 2 ELSE 0 END - 1);
END
$$;
