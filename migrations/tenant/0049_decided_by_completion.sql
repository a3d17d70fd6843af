-- What a model learns of a booking is what was decided for whom had the work when it was completed. A booking that is given to another
-- person or project afterwards, as a correction, tells by that something of its outcome, and was not decided so.

CREATE OR REPLACE FUNCTION decided_version(booking resource_allocations) RETURNS allocation_versions
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
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

-- Who follows the history is told of the bookings of which this says something else.
UPDATE resource_allocations b SET version = version
WHERE completed_at IS NOT NULL AND version > 1 AND EXISTS (
    SELECT FROM allocation_versions v WHERE v.allocation_id = b.id AND v.valid_until > b.completed_at
        AND (v.employee_id, v.project_id) <> (b.employee_id, b.project_id));
