import Contracts
import Postgres
import ServiceStorage

/// Whom a question is about.
struct PeopleFilter: Sendable {
    /// A department's name, however it is written.
    var department: String?
    var employees: [EmployeeID]?
    /// Only those who are in some of a report's groups.
    var members: GroupMembers?

    /// People by external id.
    /// - Parameter after: only those after this external id.
    func query(after last: String?, limit: Int) -> SQL {
        var conditions: [SQL] = ["true"]
        if let department { conditions.append("d.folded_name = folded(\(department))") }
        if let employees { conditions.append("e.id = ANY(\(employees)::uuid[])") }
        if let members { conditions.append(members.condition) }
        if let last { conditions.append("e.external_id > \(last)") }
        return """
            SELECT e.id, e.external_id, e.name, e.department_id, d.name AS department, e.held_from
            FROM employees e LEFT JOIN departments d ON d.id = e.department_id
            WHERE \(sql: conditions.joined(separator: " AND ")) ORDER BY e.external_id LIMIT \(limit)::bigint
            """
    }
}

extension LedgerReader {
    /// Everybody whom the filter lets through, by external id, read a batch at a time: memory holds one batch, and who stops early has
    /// read little more than needed.
    /// - Parameters:
    ///   - first: how many are read at first.
    ///   - each: returns how many to read next; nil to stop.
    mutating func walk(
        _ filter: PeopleFilter, after last: String?, first: Int, _ detail: Detail,
        isolation: isolated (any Actor)? = #isolation,
        _ each: ([PlannedPerson], PostgresConnection) async throws -> Int?
    ) async throws {
        var (last, size) = (last, Self.batch(first))
        while true {
            let batch = try await people(filter.query(after: last, limit: size), detail)
            guard let next = try await each(batch, connection), batch.count == size else { return }
            last = batch.last?.employee.externalId
            size = Self.batch(next)
        }
    }

    /// Small ones cost more questions than they save, large ones memory.
    private static func batch(_ wanted: Int) -> Int { min(max(wanted, 20), 1_000) }
}
