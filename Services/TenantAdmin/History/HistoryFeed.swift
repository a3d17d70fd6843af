import Contracts
import Foundation
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// A tenant's history as the learning services need it: what changed since they last asked.
///
/// The feed answers from one snapshot: all rows of the commits after the watermark, and as the next watermark the last
/// commit that the snapshot sees. Commits are numbered in the order in which they become visible, so nothing is lost.
struct HistoryFeed: Sendable {
    let database: TenantDatabase
    /// The rest of a longer feed is written by a thread that stands back: its consumer waits seconds for it anyway, and other requests
    /// of the machine wait milliseconds.
    var linesAtOnce = 5_000

    /// Answers are written in pieces of about this size.
    private static let chunkBytes = 64 * 1024
    /// Aliases of skills take at most this much of the last line, or twice as much where every character has to be escaped:
    /// consumers refuse lines of more than 4 MiB. The rest, in order of the skills' names, is left out.
    private static let mostAliasBytes = 2_000_000

    /// Whether the feed can go on from there.
    /// - Throws: 403 `tenant_unavailable`; 422 naming `since` for a watermark that this history does not continue from.
    ///   Its consumer may hold rows that this history never had and that no feed would remove: the consumer must begin
    ///   with nothing.
    func require(_ tenant: TenantID, since: HistoryWatermark?) async throws {
        try await database.withTenant(tenant, readOnly: true) { connection in
            try await Self.check(since, on: connection)
        }
    }

    private static func check(_ since: HistoryWatermark?, on connection: PostgresConnection) async throws {
        guard let since, try await !since.isKnown(on: connection) else { return }
        throw ProblemError.validation("since", "is not a watermark of this database")
    }

    /// Gives all lines as NDJSON in bounded memory, at the pace at which `write` takes them.
    /// - Parameter since: nil for all rows.
    func send(
        _ tenant: TenantID, since: HistoryWatermark?, isolation: isolated (any Actor)? = #isolation,
        to write: (ByteBuffer) async throws -> Void
    ) async throws {
        // Not to be run again: a part may have been sent.
        try await database.withTenant(tenant, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            connection in
            let now = try await HistoryWatermark.current(on: connection)
            try await Self.check(since, on: connection)
            var lines = 0
            var bytes: [UInt8] = []
            let isUnchanged = since == now
            let renamed = isUnchanged ? [] : try await Self.changedSkills(since: since, on: connection)
            for part in isUnchanged ? [] : Self.parts(since: since, renamed: renamed) {
                var rows = connection.stream(part.query).makeAsyncIterator()
                func send(upTo limit: Int) async throws {
                    while lines < limit, let row = try await rows.next() {
                        try part.line(row).write(to: &bytes)
                        lines += 1
                        if bytes.count >= Self.chunkBytes {
                            try await write(ByteBuffer(bytes: bytes))
                            bytes.removeAll(keepingCapacity: true)
                        }
                    }
                }
                try await send(upTo: linesAtOnce)
                guard lines >= linesAtOnce else { continue }
                try await BackgroundWork.run { try await send(upTo: .max) }
            }
            let zone = try await connection.query("SELECT tenant_zone()").first?.decode(at: 0, as: String.self)
            let aliases = since == nil || !renamed.isEmpty ? try await Self.skillAliases(on: connection) : nil
            let end = HistoryEnd(watermark: now.description, lines: lines, timeZone: zone, skillAliases: aliases)
            try HistoryLine.end(end).write(to: &bytes)
            try await write(ByteBuffer(bytes: bytes))
        }
    }

    /// Skills whose names or aliases have changed, also by a merge: each of these marks the skill's row. None for a whole
    /// feed, which tells of all of them.
    private static func changedSkills(
        since: HistoryWatermark?, on connection: PostgresConnection
    ) async throws -> [UUID] {
        guard let since else { return [] }
        let skills = try await connection.query("SELECT id FROM skills WHERE \(sql: since.later)")
        return try skills.map { try $0.decode("id") }
    }

    /// The aliases of all skills that have any, by the skill's name.
    private static func skillAliases(on connection: PostgresConnection) async throws -> [String: [String]] {
        let rows = try await connection.query(
            """
            SELECT name, array_agg(alias ORDER BY alias) AS aliases FROM (
                SELECT s.name, n.name AS alias,
                    sum(octet_length(s.name) + octet_length(n.name) + 8) OVER (ORDER BY s.name, n.name) AS bytes
                FROM skill_names n JOIN skills s ON s.id = n.skill_id WHERE n.is_alias) words
            WHERE bytes <= \(mostAliasBytes) GROUP BY name
            """)
        return try Dictionary(
            rows.map { (try $0.decode("name", as: String.self), try $0.decode("aliases", as: [String].self)) },
            uniquingKeysWith: { $0 + $1 })
    }

    private struct Part {
        let query: SQL
        let line: (PostgresRow) throws -> HistoryLine
    }

    /// Tombstones first: what was deleted and made again is there. Then facts, then the allocations that refer to them.
    private static func parts(since: HistoryWatermark?, renamed: [UUID]) -> [Part] {
        let changed: SQL = since.map { $0.later } ?? "true"
        // Lines name the skills they require, so a skill's new name is a change of each.
        let skills: SQL? = renamed.isEmpty ? nil : "\(renamed)::uuid[]"
        let projects: SQL = skills.map { "OR \(sql: RequiredSkills.projectsName(oneOf: $0))" } ?? ""
        let bookings: SQL = skills.map { "OR \(sql: RequiredSkills.bookingsName(oneOf: $0))" } ?? ""
        let rows: [Part] = [
            Part(query: "SELECT \(sql: HistoryCalendar.columns) FROM calendars c WHERE \(sql: changed)") {
                .calendar(try HistoryCalendar($0))
            },
            Part(query: "SELECT \(sql: HistoryEmployee.columns) FROM people e WHERE \(sql: changed)") {
                .employee(try HistoryEmployee($0))
            },
            Part(query: "SELECT \(sql: Project.columns) FROM projects WHERE \(sql: changed) \(sql: projects)") {
                .project(try Project($0))
            },
            Part(query: "SELECT \(sql: CapacityEntry.columns) FROM capacity_history WHERE \(sql: changed)") {
                .capacity(try CapacityEntry($0))
            },
            Part(
                query:
                    "SELECT \(sql: Allocation.feedColumns) FROM resource_allocations WHERE \(sql: changed) \(sql: bookings)"
            ) {
                .allocation(try Allocation($0, withEarlier: true))
            },
        ]
        // Who begins with nothing has nothing to remove.
        return since == nil ? rows : [removals(changed)] + rows
    }

    private static func removals(_ changed: SQL) -> Part {
        Part(
            query: """
                SELECT kind, id, date FROM removed_rows WHERE \(sql: changed) AND NOT (kind = 'capacity' AND EXISTS (
                    SELECT FROM capacity_history c WHERE c.employee_id = removed_rows.id AND c.date = removed_rows.date))
                ORDER BY number
                """
        ) { .removed(RemovedRow(kind: try $0.decode("kind"), id: try $0.decode("id"), date: try $0.decode("date"))) }
    }
}

extension HistoryEmployee {
    /// Of `employees e`.
    static let columns: SQL = """
        e.id, e.external_id, e.name, e.weekly_capacity_hours, coalesce(e.held_from > (SELECT tenant_today()), true) AS is_active, e.hired_on, e.left_on, \(sql: EmployeeSkill.list),
        \(sql: HistoryTime.column), e.department_id
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            weeklyCapacityHours: try row.decode("weekly_capacity_hours"), isActive: try row.decode("is_active"),
            hiredOn: try row.decode("hired_on"), leftOn: try row.decode("left_on"),
            skills: try row.decode("skills", as: PostgresJSON<[EmployeeSkill]>.self).value,
            time: try row.decode("time", as: PostgresJSON<HistoryTime>.self).value,
            departmentId: try row.decode("department_id"))
    }
}
