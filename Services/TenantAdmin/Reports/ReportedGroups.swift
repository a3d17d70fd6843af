import Contracts
import Foundation
import Ledger
import Postgres
import ServiceStorage

/// The groups that may have a row in a report, in the order of the rows; that of the people without a group comes last.
struct ReportedGroups: Sendable {
    private let groups: [ReportedGroup]

    init(
        _ group: UtilizationGroup, _ question: Reports.Question, of tenant: TenantID, on database: TenantDatabase
    ) async throws {
        guard let query = Self.query(group, question.window) else {
            groups = [.rest]
            return
        }
        let named = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(query).map { row in
                let (id, name) = try row.decode(UUID.self, String.self)
                return ReportedGroup(id: "\(id)".lowercased(), name: name)
            }
        }
        groups = named.sorted { $0.position < $1.position } + (group == .project ? [] : [.rest])
    }

    func after(_ position: String?) -> [ReportedGroup] {
        position.map { position in groups.filter { $0.position > position } } ?? groups
    }

    /// nil where everybody is one group.
    private static func query(_ group: UtilizationGroup, _ window: DayWindow) -> SQL? {
        switch group {
        case .department:
            "SELECT id, name FROM departments d WHERE EXISTS (SELECT FROM employees WHERE department_id = d.id)"
        case .skill: "SELECT id, name FROM skills s WHERE EXISTS (SELECT FROM employee_skills WHERE skill_id = s.id)"
        case .project:
            """
            SELECT id, name FROM projects p WHERE status <> 'cancelled' AND EXISTS (
                SELECT FROM resource_allocations a WHERE a.project_id = p.id AND a.cancelled_at IS NULL
                    AND a.start_date <= \(window.last) AND (a.end_date IS NULL OR a.end_date >= \(window.first)))
            """
        case .person, .none: nil
        }
    }
}

extension ReportedGroup {
    /// Of the people without a group.
    static let rest = ReportedGroup(id: nil, name: nil)

    static let lastPosition = "\u{10FFFF}"

    /// Where it stands in a report.
    var position: String { id.map { (name ?? "") + "\u{1}" + $0 } ?? Self.lastPosition }
}

/// Whom some groups are about.
struct GroupMembers: Sendable {
    private let group: UtilizationGroup
    private let ids: [UUID]
    private let hasRest: Bool
    private let last: CivilDate

    /// - Parameter last: skills that begin later do not count.
    init(_ group: UtilizationGroup, _ groups: [ReportedGroup], until last: CivilDate) {
        self.group = group
        self.last = last
        ids = groups.compactMap { $0.id.flatMap(UUID.init) }
        hasRest = groups.contains { $0.id == nil }
    }

    /// Of `employees e`.
    var condition: SQL {
        switch group {
        case .department: "(e.department_id = ANY(\(ids)) OR \(hasRest) AND e.department_id IS NULL)"
        case .skill:
            """
            (EXISTS (SELECT FROM employee_skills s WHERE s.employee_id = e.id AND s.skill_id = ANY(\(ids))
                    AND coalesce(s.since <= \(last), true))
                OR \(hasRest) AND NOT EXISTS (SELECT FROM employee_skills s WHERE s.employee_id = e.id
                    AND coalesce(s.since <= \(last), true)))
            """
        case .project:
            "EXISTS (SELECT FROM resource_allocations a WHERE a.employee_id = e.id AND a.project_id = ANY(\(ids)))"
        case .person, .none: "true"
        }
    }
}
