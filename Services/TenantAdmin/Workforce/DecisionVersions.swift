import Contracts
import Postgres
import ServiceKit
import ServiceStorage

// What was known when. Triggers of the database keep each version that an edit replaces (tenant migration 0030), so that no
// writer can forget to.

extension DecidedAllocation {
    /// `decided`, of `resource_allocations`: the booking as first decided for its person and project; null without edits.
    static let column: SQL = """
        CASE WHEN resource_allocations.version > 1 THEN (
            SELECT json_build_object('decidedAt', \(sql: moment("v.valid_from")),
                -- As first planned; a booking reassigned to another person is planned anew.
                'plannedHours', CASE WHEN v.version = 1 THEN resource_allocations.planned_hours ELSE v.allocated_hours END,
                'hoursPerDay', v.hours_per_day, 'allocationPercentage', v.allocation_percentage,
                'title', v.title,
                'requiredSkills', array(SELECT s.name FROM unnest(v.required_skill_ids) WITH ORDINALITY r (id, position)
                    JOIN skills s ON s.id = r.id ORDER BY r.position),
                'labels', v.labels, 'startDate', v.start_date, 'endDate', v.end_date,
                'employeeId', nullif(v.employee_id, resource_allocations.employee_id),
                'projectId', nullif(v.project_id, resource_allocations.project_id))
            FROM decided_version(resource_allocations) v)
        END AS decided
        """
}

extension ProjectVersion {
    /// `earlier_versions`, of `projects`; null without edits.
    static let column: SQL = """
        CASE WHEN projects.version > 1 THEN (
            SELECT json_agg(json_build_object('validFrom', \(sql: moment("v.valid_from")),
                'validUntil', \(sql: moment("v.valid_until")), 'status', v.status, 'startDate', v.start_date,
                'estimatedEndDate', v.estimated_end_date, 'endDate', v.end_date,
                'completionPercentage', v.completion_percentage,
                'requiredSkills', array(SELECT s.name FROM unnest(v.required_skill_ids) WITH ORDINALITY r (id, position)
                    JOIN skills s ON s.id = r.id ORDER BY r.position),
                'leastLevels', (SELECT json_object_agg(s.name, r.level)
                    FROM unnest(v.required_skill_ids, v.required_levels) r (id, level) JOIN skills s ON s.id = r.id
                    WHERE r.level IS NOT NULL)) ORDER BY v.version)
            FROM project_versions v WHERE v.project_id = projects.id)
        END AS earlier_versions
        """
}

extension EarlierBooking {
    /// `earlier`, of `resource_allocations`; null without edits.
    static let column: SQL = """
        CASE WHEN resource_allocations.version > 1 THEN (
            SELECT json_agg(json_build_object('validFrom', \(sql: moment("v.valid_from")),
                'validUntil', \(sql: moment("v.valid_until")), 'employeeId', v.employee_id, 'projectId', v.project_id,
                'allocatedHours', v.allocated_hours, 'hoursPerDay', v.hours_per_day,
                'allocationPercentage', v.allocation_percentage, 'commitment', v.commitment, 'isCancelled', v.is_cancelled,
                'startDate', v.start_date, 'endDate', v.end_date) ORDER BY v.version)
            FROM allocation_versions v WHERE v.allocation_id = resource_allocations.id)
        END AS earlier
        """
}

/// A column's time as JSON of ours has it, rounded to the millisecond: `to_char` cuts off.
private func moment(_ column: SQL) -> SQL {
    #"""
    to_char((\#(sql: column) + interval '500 microseconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    """#
}

extension Allocations {
    /// Every version of a booking, newest first.
    /// - Throws: 404.
    func versions(of id: AllocationID, in tenant: TenantID) async throws -> [AllocationVersion] {
        try await database.withTenant(tenant, readOnly: true) { connection in
            let present = try await connection.query(
                """
                SELECT version, version_from AS valid_from, NULL::timestamptz AS valid_until, employee_id, project_id,
                    allocated_hours, hours_per_day, allocation_percentage, commitment,
                    cancelled_at IS NOT NULL AS is_cancelled, title,
                    \(sql: RequiredSkills.columns(of: "resource_allocations")), labels, start_date, end_date
                FROM resource_allocations WHERE id = \(id)
                """)
            guard let newest = present.first else { throw ProblemError.notFound("Allocation") }
            let earlier = try await connection.query(
                """
                SELECT version, valid_from, valid_until, employee_id, project_id, allocated_hours, hours_per_day,
                    allocation_percentage, commitment, is_cancelled, title,
                    \(sql: RequiredSkills.columns(of: "allocation_versions")), labels, start_date, end_date
                FROM allocation_versions WHERE allocation_id = \(id) ORDER BY version DESC
                """)
            return try ([newest] + earlier).map(AllocationVersion.init)
        }
    }
}

extension AllocationVersion {
    fileprivate init(_ row: PostgresRow) throws {
        let skills: [String] = try row.decode("required_skills")
        self.init(
            version: try row.decode("version"), validFrom: try row.decode("valid_from"),
            validUntil: try row.decode("valid_until"), employeeId: try row.decode("employee_id"),
            projectId: try row.decode("project_id"), allocatedHours: try row.decode("allocated_hours"),
            hoursPerDay: try row.decode("hours_per_day"),
            allocationPercentage: try row.decode("allocation_percentage"), commitment: try row.decode("commitment"),
            isCancelled: try row.decode("is_cancelled"), title: try row.decode("title"),
            requiredSkills: skills, leastLevels: try RequiredSkills.leastLevels(skills, row),
            labels: try row.decode("labels", as: LabelsColumn.self).labels, startDate: try row.decode("start_date"),
            endDate: try row.decode("end_date"))
    }
}
