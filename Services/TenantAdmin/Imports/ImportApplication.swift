import Contracts
import Foundation
import Postgres
import ServiceKit

/// Judges a file that has come whole and writes it, inside the transaction under way and as the tenant. A dry run writes nothing of the
/// tenant's: what is written and taken back leaves dead rows behind.
struct ImportApplication {
    let plan: ImportPlan
    let order: Imports.Order
    let staged: ImportTally.State
    let limits: TenantLimits
    let author: Author
    let copies: ImportCopies
    let connection: PostgresConnection

    /// - Throws: `ImportRejection`; 403 `quota_exceeded`.
    func run() async throws -> ImportReport {
        if !order.isDryRun {
            try await plan.locks.take(on: connection)
            for statement in plan.holds { try await connection.execute(statement) }
        }
        var (errors, failed) = try await judge()
        try requireGood(failed, errors)
        // Before anything is written: what is written and taken back leaves dead rows behind.
        try await requireLimit()
        var warnings = staged.warnings + (try await rows(plan.oddities(limit: Self.most)).map(ImportRowError.init))
        let outcome: Outcome
        switch plan.planning {
        case .none:
            outcome = try await carryOut()
        case .time(let column):
            let time = try await ImportedTime(named: column, on: connection)
            outcome = try await carryOut()
            warnings += try await time.warnings(atMost: Self.most - min(Self.most, warnings.count), on: connection)
        case .bookings, .projects:
            let planned: any ImportedPlanning =
                if case .projects = plan.planning {
                    try await ImportedProjects(self)
                } else {
                    try await ImportedBookings(self)
                }
            // A row that is left out may leave a stored booking as it is, which another row was judged without.
            while case let overbooked = try await planned.refused(), !overbooked.isEmpty {
                failed += overbooked.count
                errors = Self.first(errors + overbooked)
                try requireGood(failed, errors)
                try await leaveOut(overbooked)
            }
            outcome = try await carryOut()
            if order.isDryRun { try await planned.rehearse() }
            warnings += try await planned.warnings(
                atMost: Self.most - min(Self.most, warnings.count), isForeseen: order.isDryRun)
        }
        let rejected = staged.rejected + failed
        return ImportReport(
            id: order.id, kind: order.kind, status: order.isDryRun ? .dryRun : .applied, receivedBytes: staged.bytes,
            rowsRead: staged.rowsRead, inserted: outcome.inserted, updated: outcome.updated,
            unchanged: staged.rowsRead - rejected - outcome.inserted - outcome.updated, cleared: outcome.cleared,
            rejected: rejected, errors: errors, warnings: Self.first(warnings), createdAt: Date())
    }

    private struct Outcome {
        let inserted: Int
        let updated: Int
        let cleared: Int
    }

    private static let most = ImportTally.maximumNotes

    /// - Throws: `ImportRejection` where one bad row is enough.
    private func requireGood(_ failed: Int, _ errors: [ImportRowError]) throws {
        let rejected = staged.rejected + failed
        guard rejected > 0, order.policy == .abort else { return }
        throw ImportRejection(staged, rejected: rejected, errors: errors)
    }

    private func rows(_ query: SQL?) async throws -> [PostgresRow] {
        guard let query else { return [] }
        return try await connection.query(query)
    }

    /// The first notes by line, up to the limit of a report.
    private static func first(_ notes: [ImportRowError]) -> [ImportRowError] {
        Array(notes.sorted { ($0.line, $0.column) < ($1.line, $1.column) }.prefix(most))
    }

    /// Removes the invalid rows; returns the first errors by line, up to the limit of a report.
    ///
    /// What is rejected is no reason to reject another row, and no help to one: after rows were removed for what others are to them,
    /// the rest is looked at again.
    private func judge() async throws -> (errors: [ImportRowError], rejected: Int) {
        var (errors, rejected) = (staged.errors, 0)
        func remove(_ others: ImportPlan.Others) async throws -> Bool {
            let rows = try await rows(plan.judge(staged.columns, beside: others, limit: Self.most))
            errors += try rows.map(ImportRowError.init)
            rejected += try rows.first?.decode("rejected") ?? 0
            return !rows.isEmpty
        }
        _ = try await remove(.none)
        if case .bookings = plan.planning {
            let refused = try await ImportedEndlessHours(connection: connection).refused()
            try await leaveOut(refused)
            errors += refused
            rejected += refused.count
        }
        var isAgain = true
        while isAgain {
            isAgain = try await remove(.help)
            if !isAgain || order.policy == .abort { isAgain = try await remove(.hindrance) }
            if order.policy == .abort { break }
        }
        return (Self.first(errors), rejected)
    }

    /// - Parameter rows: one error a row.
    private func leaveOut(_ rows: [ImportRowError]) async throws {
        guard !rows.isEmpty else { return }
        try await connection.execute(
            "DELETE FROM pg_temp.import_rows WHERE line = ANY(\(rows.map(\.line))::bigint[])")
    }

    private func requireLimit() async throws {
        guard let limit = plan.limit else { return }
        let added: Int = try await connection.query(plan.added(limit))[0].decode("added")
        try await limit.quota.check(adding: added, limits, locking: !order.isDryRun, on: connection)
    }

    /// Writes the rows, or finds out what that would give.
    private func carryOut() async throws -> Outcome {
        guard order.isDryRun else { return try await write() }
        guard !copies.isEmpty else { return try await foresee() }
        try await copies.standIn(on: connection)
        return try await write()
    }

    /// What ``write()`` would give.
    private func foresee() async throws -> Outcome {
        let counts = try await connection.query(plan.foreseen(staged.columns))[0]
        return Outcome(
            inserted: try counts.decode("inserted"), updated: try counts.decode("updated"),
            cleared: try await clearedRows())
    }

    private func clearedRows() async throws -> Int {
        try await rows(plan.clearances(staged.columns)).first?.decode("cleared") ?? 0
    }

    /// Of a dry run into the copies.
    private func write() async throws -> Outcome {
        do {
            let cleared = try await clearedRows()
            let defaults =
                order.isDryRun ? [] : try await ImportedDefaults(connection: connection).giveWay(to: order.kind)
            for statement in plan.prerequisites { try await connection.execute(statement) }
            var updated = 0
            if let update = plan.update(staged.columns) { updated = try await connection.execute(update) }
            let inserted = try await connection.execute(plan.insert(order.history))
            for statement in plan.finish { try await connection.execute(statement) }
            // Last, for every other writer of an audit entry waits until the end of this transaction.
            for change in defaults { try await AuditLog.record(change, by: author, on: connection) }
            return Outcome(inserted: inserted, updated: updated, cleared: cleared)
        } catch let error as PostgresError where error.sqlState?.hasPrefix("23") == true {
            let reason =
                ConstraintProblem.problem(error)?.sentence ?? "The rule \(error.constraintName ?? "") is broken."
            throw ImportRejection(
                staged, rejected: staged.rejected,
                errors: [ImportRowError(line: 0, column: "", reason: "contradicts what is stored: \(reason)")])
        }
    }
}

/// A file that is refused as a whole.
struct ImportRejection: Error {
    let staged: ImportTally.State
    let rejected: Int
    let errors: [ImportRowError]

    init(_ staged: ImportTally.State, rejected: Int, errors: [ImportRowError]) {
        self.staged = staged
        self.rejected = rejected
        self.errors = errors
    }

    func report(_ order: Imports.Order) -> ImportReport {
        ImportReport(
            id: order.id, kind: order.kind, status: .rejected, receivedBytes: staged.bytes, rowsRead: staged.rowsRead,
            rejected: rejected, errors: errors, createdAt: Date())
    }
}

extension ImportRowError {
    /// Of `line`, `column_name` and `reason`.
    init(_ row: PostgresRow) throws {
        self.init(line: try row.decode("line"), column: try row.decode("column_name"), reason: try row.decode("reason"))
    }
}
