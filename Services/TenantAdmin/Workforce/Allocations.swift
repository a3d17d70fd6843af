import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

/// Who works on what, for how many hours.
struct Allocations: ResourceStore {
    typealias Creation = CreateAllocationRequest
    typealias Edit = UpdateAllocationRequest

    let database: TenantDatabase

    struct Filter: Sendable {
        var externalID: String?
        var employees: [EmployeeID]?
        var projects: [ProjectID]?
        var isCompleted: Bool?
        var isCancelled: Bool?
        var commitment: Commitment?
        /// A word that finds a skill it requires.
        var skill: String?
        /// Those that may reach into these days; one without an end may until it is completed.
        var from: CivilDate?
        var to: CivilDate?
        var updatedSince: Date?
    }

    static let noun = "allocation"
    static let table = "resource_allocations"
    static let locks = TableLocks([.skills, .skillNames, .employees, .allocations, .allocationVersions])
    static let alias = "resource_allocations"
    static let columns = Allocation.columns
    static let source: SQL = "resource_allocations"
    static func item(_ row: PostgresRow) throws -> Allocation { try Allocation(row) }
    static let position: SQL = "external_id"
    static func position(of item: Allocation) -> String { item.externalId }
    static func id(of item: Allocation) -> AllocationID { item.id }

    static func conditions(_ filter: Filter) -> [SQL] {
        var conditions: [SQL] = []
        if let externalID = filter.externalID { conditions.append("external_id = \(externalID.tidied)") }
        if let employees = filter.employees { conditions.append("employee_id = ANY(\(employees)::uuid[])") }
        if let projects = filter.projects { conditions.append("project_id = ANY(\(projects)::uuid[])") }
        if let isCompleted = filter.isCompleted { conditions.append("(completed_at IS NOT NULL) = \(isCompleted)") }
        if let isCancelled = filter.isCancelled {
            conditions.append("(cancelled_at IS NOT NULL) = \(isCancelled)")
        }
        if let commitment = filter.commitment { conditions.append("commitment = \(commitment)") }
        if let skill = filter.skill {
            conditions.append("required_skill_ids @> array[\(sql: Skills.found(by: skill))]")
        }
        if let from = filter.from { conditions.append(reaches(from)) }
        if let to = filter.to { conditions.append("start_date <= \(to)") }
        if let moment = filter.updatedSince {
            let skills = RequiredSkills.changed(since: moment)
            conditions.append(
                "(\(sql: .changed(since: moment)) OR \(sql: RequiredSkills.bookingsName(oneOf: skills)))")
        }
        return conditions
    }

    /// A booking without an end goes on until the day of its completion, but has its first day (`WorkingTime.extent(of:)`).
    private static func reaches(_ day: CivilDate) -> SQL {
        """
        (end_date >= \(day) OR end_date IS NULL AND (completed_at IS NULL
            OR greatest(start_date, (completed_at AT TIME ZONE (SELECT tenant_zone()))::date) >= \(day)))
        """
    }

    static func watch(_ write: ResourceWrite<Allocations>) -> PlanningWatch? {
        switch write {
        case .create(let request): .booking(nil, of: [request.employeeId], on: [request.projectId])
        case .update(let item, let edit):
            .booking(
                item.id, of: [item.employeeId] + (edit.employeeId.map { [$0] } ?? []),
                on: [edit.projectId ?? item.projectId])
        // A deleted booking causes no conflicts.
        case .delete: nil
        }
    }

    /// - Throws: 422 for an unknown employee or project, and for a decision or an outcome in the future.
    static func insert(
        _ request: CreateAllocationRequest, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> AllocationID {
        try await requireKnown(
            request.employeeId, request.projectId,
            Moments.inFuture([("completedAt", request.completedAt), ("createdAt", request.createdAt)]), on: connection)
        let skills = try await RequiredSkills(
            request.requiredSkills ?? [], levels: request.leastLevels ?? [:], on: connection)
        let rows = try await connection.query(
            """
            INSERT INTO resource_allocations (external_id, employee_id, project_id, allocation_percentage, allocated_hours,
                hours_per_day, actual_hours, commitment, title, required_skill_ids, required_levels, labels, start_date, end_date,
                completed_at, created_at)
            VALUES (\(request.externalId.tidied), \(request.employeeId), \(request.projectId),
                \(optional: request.allocationPercentage), \(optional: request.allocatedHours),
                \(optional: request.hoursPerDay), \(optional: request.actualHours), \(request.commitment ?? .hard),
                \(optional: request.title?.tidied),
                \(skills.ids)::uuid[], \(sql: skills.levelsLiteral), \(json: request.labels ?? [:]),
                \(request.startDate), \(optional: request.endDate), \(optional: request.completedAt), coalesce(\(optional: request.createdAt), now()))
            RETURNING id
            """)
        return try rows[0].decode("id")
    }

    static func edit(
        _ item: Allocation, with request: UpdateAllocationRequest, by caller: TenantCaller,
        on connection: PostgresConnection
    ) async throws -> [String] {
        try await requireKnown(
            request.employeeId ?? item.employeeId, request.projectId ?? item.projectId,
            Moments.inFuture([("completedAt", request.completedAt.newValue)]), on: connection)
        try requireLength(request, of: item)
        var changes = ColumnChanges()
        changes.set("external_id", request.externalId?.tidied)
        changes.set("employee_id", request.employeeId)
        changes.set("project_id", request.projectId)
        changes.set("allocation_percentage", request.allocationPercentage)
        changes.set("allocated_hours", request.allocatedHours)
        changes.set("hours_per_day", request.hoursPerDay)
        changes.set("actual_hours", request.actualHours)
        changes.set("commitment", request.commitment)
        changes.set("title", request.title.map(\.tidied))
        if let isCancelled = request.isCancelled, isCancelled != item.isCancelled {
            changes.set("cancelled_at", to: isCancelled ? "now()" : "NULL")
        }
        try await RequiredSkills.set(
            request.requiredSkills, levels: request.leastLevels, current: item.requiredSkills,
            currentLevels: item.leastLevels, in: &changes, on: connection)
        changes.set("labels", request.labels.map { PostgresJSON($0) })
        changes.set("start_date", request.startDate)
        changes.set("end_date", request.endDate)
        changes.set("completed_at", request.completedAt)
        return try await changes.apply(to: table, id: item.id, on: connection)
    }

    /// All that is wrong is said at once; a constraint would name one.
    private static func requireKnown(
        _ employee: EmployeeID, _ project: ProjectID, _ others: [FieldError], on connection: PostgresConnection
    ) async throws {
        let row = try await connection.query(
            """
            SELECT EXISTS (SELECT FROM employees WHERE id = \(employee)) AS has_employee,
                EXISTS (SELECT FROM projects WHERE id = \(project)) AS has_project
            """)[0]
        var errors = others
        if try !row.decode("has_employee", as: Bool.self) {
            errors.append(FieldError(field: "employeeId", message: "names no employee"))
        }
        if try !row.decode("has_project", as: Bool.self) {
            errors.append(FieldError(field: "projectId", message: "names no project"))
        }
        guard errors.isEmpty else { throw ProblemError.validation(errors) }
    }

    /// The days that are stated may be too many together with those that stay. What is longer already may stay so.
    private static func requireLength(_ request: UpdateAllocationRequest, of item: Allocation) throws {
        let first = request.startDate ?? item.startDate
        let last = request.endDate.applied(to: item.endDate)
        guard (first, last) != (item.startDate, item.endDate), !BookingLimits.allows(first, last) else { return }
        throw ProblemError.validation(request.endDate.newValue == nil ? "startDate" : "endDate", BookingLimits.tooLong)
    }

    /// Bookings with what their efforts mean in the ways in which they are not stated, in their order.
    func details(of allocations: [Allocation], in tenant: TenantID) async throws -> [AllocationDetail] {
        let derived = try await database.withTenant(tenant, isolationLevel: .repeatableRead, readOnly: true) {
            try await DerivedEffort.all(of: allocations, on: $0)
        }
        return allocations.map { AllocationDetail($0, derived: derived[$0.id] ?? .unknown) }
    }

    /// Nothing refers to an allocation.
    static func uses(
        of item: Allocation, by caller: TenantCaller, on connection: PostgresConnection
    ) async throws -> [ResourceUse] { [] }
}

extension Allocation {
    static let columns: SQL = """
        id, external_id, employee_id, project_id, allocation_percentage, allocated_hours, hours_per_day, planned_hours,
        actual_hours, commitment, cancelled_at IS NOT NULL AS is_cancelled,
        \(sql: RequiredSkills.columns(of: "resource_allocations")), labels, start_date, end_date, completed_at, created_at,
        recorded_at, nullif(history_known, true) AS history_known, title, \(sql: DecidedAllocation.column)
        """

    /// With the columns that only the history feed has.
    static let feedColumns: SQL = "\(sql: columns), \(sql: EarlierBooking.column)"

    /// - Parameter withEarlier: whether the row has ``feedColumns``.
    init(_ row: PostgresRow, withEarlier: Bool = false) throws {
        let skills: [String] = try row.decode("required_skills")
        let earlier =
            withEarlier ? try row.decode("earlier", as: PostgresJSON<[EarlierBooking]>?.self)?.value : nil
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"),
            employeeId: try row.decode("employee_id"), projectId: try row.decode("project_id"),
            allocationPercentage: try row.decode("allocation_percentage"),
            allocatedHours: try row.decode("allocated_hours"), hoursPerDay: try row.decode("hours_per_day"),
            plannedHours: try row.decode("planned_hours"), actualHours: try row.decode("actual_hours"),
            commitment: try row.decode("commitment"), isCancelled: try row.decode("is_cancelled"),
            title: try row.decode("title"), requiredSkills: skills,
            leastLevels: try RequiredSkills.leastLevels(skills, row),
            labels: try row.decode("labels", as: LabelsColumn.self).labels,
            startDate: try row.decode("start_date"), endDate: try row.decode("end_date"),
            completedAt: try row.decode("completed_at"), createdAt: try row.decode("created_at"),
            recordedAt: try row.decode("recorded_at"), isHistoryKnown: try row.decode("history_known"),
            decided: try row.decode("decided", as: PostgresJSON<DecidedAllocation>?.self)?.value,
            earlier: earlier)
    }
}
