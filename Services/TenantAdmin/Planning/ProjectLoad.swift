import Contracts
import HTTPTypes
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What a project that goes on takes of its people: its bookings, which counted as soft while it was on hold and not at all while
/// it was cancelled, count as they were made.
struct ProjectLoad: Sendable {
    private let people: [EmployeeID]
    private let before: [EmployeeID: Set<BookingConflict>]

    private static let peopleAtOnce = 200

    /// Whether a change of status makes a project's bookings count for more.
    static func grows(from former: ProjectStatus, to status: ProjectStatus) -> Bool {
        weight(status) > weight(former)
    }

    /// The same of two columns.
    static func grows(from former: SQL, to status: SQL) -> SQL {
        let pairs = ProjectStatus.allCases.flatMap { one in
            ProjectStatus.allCases.filter { grows(from: one, to: $0) }.map { other -> SQL in
                "(\(one)::text, \(other)::text)"
            }
        }
        return "(\(sql: former), \(sql: status)) IN (\(sql: pairs.joined(separator: ", ")))"
    }

    private static func weight(_ status: ProjectStatus) -> Int {
        switch status {
        case .cancelled: 0
        case .onHold: 1
        case .planned, .inProgress, .completed: 2
        }
    }

    /// Notes where hard bookings take too much of the people with open bookings on the project already.
    /// - Parameter isLocking: whether these people are locked, for a change that is going to be made.
    init(of project: ProjectID, locking isLocking: Bool = true, on connection: PostgresConnection) async throws {
        people =
            isLocking
            ? try await Self.lockPeople(of: [project], on: connection)
            : try await Self.people(on: [project], connection)
        before = try await Self.tooMuch(of: people, on: connection)
    }

    /// Locks all together, so that two who look at several projects do not wait for each other in a circle.
    @discardableResult
    static func lockPeople(
        of projects: [ProjectID], on connection: PostgresConnection
    ) async throws -> [EmployeeID] {
        let people = try await people(on: projects, connection)
        try await PlanningWatch.lock(people, on: connection)
        return people
    }

    /// With open bookings.
    private static func people(
        on projects: [ProjectID], _ connection: PostgresConnection
    ) async throws -> [EmployeeID] {
        try await connection.query(
            """
            SELECT DISTINCT employee_id FROM resource_allocations
            WHERE project_id = ANY(\(projects)::uuid[]) AND completed_at IS NULL AND cancelled_at IS NULL
                AND employee_id IS NOT NULL ORDER BY 1
            """
        ).map { try $0.decode("employee_id") }
    }

    /// What is too much now and was not before, of everybody; nothing where the tenant allows it.
    /// - Parameter tables: what stands now.
    func grown(
        in tables: LedgerReader.Tables = .init(), on connection: PostgresConnection
    ) async throws -> (warnings: [PlanningWarning], isRefused: Bool) {
        let overbooking = try await Settings.overbooking(on: connection)
        guard overbooking != .allow else { return ([], false) }
        var warnings: [PlanningWarning] = []
        let now = try await Self.tooMuch(of: people, in: tables, on: connection)
        for person in people {
            let new = TimeConflicts.worse(now[person] ?? [], than: before[person] ?? [])
            warnings += try await PlanningWarning.all(new, of: person, on: connection)
        }
        return (warnings, overbooking == .refuse && !warnings.isEmpty)
    }

    private static func tooMuch(
        of people: [EmployeeID], in tables: LedgerReader.Tables = .init(), on connection: PostgresConnection
    ) async throws -> [EmployeeID: Set<BookingConflict>] {
        var found: [EmployeeID: Set<BookingConflict>] = [:]
        // Another reader than before: projects' statuses have changed.
        var reader = LedgerReader(connection, tables)
        let always = DayWindow(PlanningWatch.firstDay, PlanningWatch.lastDay)
        for start in stride(from: 0, to: people.count, by: peopleAtOnce) {
            let part = people[start..<min(start + peopleAtOnce, people.count)]
            for planned in try await reader.people(of: Array(part), .init(bookingsIn: always, finished: .none)) {
                found[planned.employee.id] = TimeConflicts.of(planned).filter {
                    $0.conflict.kind == .overCapacity && $0.conflict.commitment == .hard
                }
            }
        }
        return found
    }
}

extension ProblemError {
    /// 409: the tenant refuses what a project that goes on would take.
    static func overbooked(by warnings: [PlanningWarning]) -> ProblemError {
        ProblemError(
            status: .conflict, code: .overbooked,
            "The project's bookings would take more than \(Set(warnings.map(\.employeeId)).count) of its people have; shorten or move them first.",
            errors: warnings.prefix(20).map { FieldError(field: "status", message: $0.message) })
    }
}
