import Contracts
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// A tenant's history as the learning services need it: what changed since they last asked.
///
/// Rows become visible in the order of commits, not of transaction numbers. The feed therefore answers from one snapshot,
/// gives all rows written by transactions from the watermark on, and hands out as the next watermark the oldest
/// transaction that was still running: nothing is lost, some rows come twice.
struct HistoryFeed: Sendable {
    let database: TenantDatabase

    /// Answers are written in pieces of about this size.
    private static let chunkBytes = 64 * 1024

    /// Whether the feed can go on from there.
    /// - Throws: 403 `tenant_unavailable`; 422 naming `since` for a watermark of another database or of the future of one
    ///   that was restored. Whoever holds it may know rows that were never here, which no feed would take away again: he
    ///   has to begin with nothing.
    func require(_ tenant: TenantID, since: HistoryWatermark?) async throws {
        try await database.withTenant(tenant, isolationLevel: .repeatableRead, readOnly: true) { connection in
            guard let since else { return }
            try Self.check(since, against: try await HistoryWatermark.current(on: connection))
        }
    }

    private static func check(_ since: HistoryWatermark, against now: HistoryWatermark) throws {
        guard since.isBefore(now) else {
            throw ProblemError.validation("since", "is not a watermark of this database")
        }
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
            if let since { try Self.check(since, against: now) }
            var lines = 0
            var bytes: [UInt8] = []
            for part in Self.parts(since: since) {
                for try await row in connection.stream(part.query) {
                    try part.line(row).write(to: &bytes)
                    lines += 1
                    if bytes.count >= Self.chunkBytes {
                        try await write(ByteBuffer(bytes: bytes))
                        bytes.removeAll(keepingCapacity: true)
                    }
                }
            }
            let zone = try await connection.query("select tenant_zone()").first?.decode(at: 0, as: String.self)
            try HistoryLine.end(HistoryEnd(watermark: now.description, lines: lines, timeZone: zone)).write(to: &bytes)
            try await write(ByteBuffer(bytes: bytes))
        }
    }

    private struct Part {
        let query: SQL
        let line: (PostgresRow) throws -> HistoryLine
    }

    /// Tombstones first: what was deleted and made again is there. Then facts, then the allocations that refer to them.
    private static func parts(since: HistoryWatermark?) -> [Part] {
        let known = since?.transaction ?? "0"
        let changed: SQL = "changed_in >= \(known)::xid8"
        // Lines name the skills they require, so a skill's new name is a change of each.
        let renamed: SQL =
            since == nil ? "" : "or required_skill_ids && (select skills_changed_since(\(known)::xid8))"
        let rows: [Part] = [
            Part(query: "select \(sql: HistoryCalendar.columns) from calendars c where c.\(sql: changed)") {
                .calendar(try HistoryCalendar($0))
            },
            Part(query: "select \(sql: HistoryEmployee.columns) from people e where e.\(sql: changed)") {
                .employee(try HistoryEmployee($0))
            },
            Part(query: "select \(sql: Project.columns) from projects where \(sql: changed) \(sql: renamed)") {
                .project(try Project($0))
            },
            Part(query: "select \(sql: CapacityEntry.columns) from capacity_history where \(sql: changed)") {
                .capacity(try CapacityEntry($0))
            },
            Part(
                query:
                    "select \(sql: Allocation.columns) from resource_allocations where \(sql: changed) \(sql: renamed)"
            ) {
                .allocation(try Allocation($0))
            },
        ]
        // Who begins with nothing has nothing to remove.
        return since == nil ? rows : [removals(changed)] + rows
    }

    private static func removals(_ changed: SQL) -> Part {
        Part(
            query: """
                select kind, id, date from removed_rows where \(sql: changed) and not (kind = 'capacity' and exists (
                    select from capacity_history c where c.employee_id = removed_rows.id and c.date = removed_rows.date))
                order by number
                """
        ) { .removed(RemovedRow(kind: try $0.decode("kind"), id: try $0.decode("id"), date: try $0.decode("date"))) }
    }
}

extension HistoryEmployee {
    /// Of `employees e`.
    static let columns: SQL = """
        e.id, e.external_id, e.name, e.weekly_capacity_hours, coalesce(e.held_from > (select tenant_today()), true) as is_active, e.hired_on, e.left_on, \(sql: EmployeeSkill.list),
        \(sql: HistoryTime.column)
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), externalId: try row.decode("external_id"), name: try row.decode("name"),
            weeklyCapacityHours: try row.decode("weekly_capacity_hours"), isActive: try row.decode("is_active"),
            hiredOn: try row.decode("hired_on"), leftOn: try row.decode("left_on"),
            skills: try row.decode("skills", as: PostgresJSON<[EmployeeSkill]>.self).value,
            time: try row.decode("time", as: PostgresJSON<HistoryTime>.self).value)
    }
}
