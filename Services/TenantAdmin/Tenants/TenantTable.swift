import Postgres

/// A tenant's tables that edits and imports write, in the order in which every transaction locks them.
///
/// No two transactions wait for each other in a circle, for all keep to one order:
/// 1. tables, in the order of the cases, before any row: all that will be written, also by triggers, and those whose rows are
///    locked for a change, by ``TableLocks``; an import that lets projects go on comes back to ``projects`` then, against those who have
///    only a project's row (``ImportedProjects``);
/// 2. a project or a booking before its people, people in the order of their ids, a person before what belongs to the person
///    (an edit of leave comes to its person last, and a person's deletion has ``leave`` alone for that);
/// 3. skills, in the order of their names; a transaction that changes a skill has ``skills`` alone;
/// 4. what is counted for a plan (``Quota``), the audit log, and at the commit the history feed.
enum TenantTable: String, CaseIterable, Sendable {
    case calendars, holidays, departments, skills
    case skillNames = "skill_names"
    case employees
    case employmentSpells = "employment_spells"
    case contracts, leave
    case employeeSkills = "employee_skills"
    case capacityHistory = "capacity_history"
    case projects
    case projectVersions = "project_versions"
    case allocations = "resource_allocations"
    case allocationVersions = "allocation_versions"
    case roles
}

/// The tables that a transaction writes, to be locked before its first row.
struct TableLocks: Sendable {
    private let alone: Set<TenantTable>
    private let shared: Set<TenantTable>

    /// - Parameters:
    ///   - alone: written by this transaction only, until it ends: what is judged is what stands there. Readers go on.
    ///   - shared: written beside other transactions, each of which has its rows.
    init(alone: Set<TenantTable> = [], _ shared: Set<TenantTable> = []) {
        self.alone = alone
        self.shared = shared
    }

    /// In the order of ``TenantTable``.
    var statements: [SQL] {
        var runs: [(isAlone: Bool, tables: [SQL])] = []
        for table in TenantTable.allCases where alone.contains(table) || shared.contains(table) {
            let (isAlone, name): (Bool, SQL) = (alone.contains(table), "\(identifier: table.rawValue)")
            if let last = runs.indices.last, runs[last].isAlone == isAlone {
                runs[last].tables.append(name)
            } else {
                runs.append((isAlone, [name]))
            }
        }
        return runs.map { run in
            let mode: SQL = run.isAlone ? "SHARE ROW EXCLUSIVE" : "ROW EXCLUSIVE"
            return "LOCK TABLE \(sql: run.tables.joined(separator: ", ")) IN \(sql: mode) MODE"
        }
    }

    func take(on connection: PostgresConnection) async throws { try await connection.executeBatch(statements) }
}
