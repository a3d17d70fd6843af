import Contracts
import Foundation
import Postgres
import ServiceKit

/// Judges a staged file as a whole and writes it, inside the transaction under way and as the tenant.
struct ImportApplication {
    let id: ImportID
    let order: Imports.Order
    let staged: ImportTally.State
    let limits: TenantLimits
    let connection: PostgresConnection

    /// - Throws: `ImportRejection`.
    func run() async throws -> ImportReport {
        let plan = ImportPlan(order.kind)
        for statement in plan.holds { try await connection.execute(statement) }
        let errors = try await allErrors(plan)
        // Counted by taking them away, which also leaves only what may be applied.
        let rejected = staged.rejected + (try await connection.execute(plan.removeFailures))
        if rejected > 0, order.policy == .abort {
            throw ImportRejection(rowsRead: staged.rowsRead, rejected: rejected, errors: errors)
        }
        let (inserted, updated) = try await write(plan)
        return ImportReport(
            id: id, kind: order.kind, status: "applied", rowsRead: staged.rowsRead, inserted: inserted,
            updated: updated,
            unchanged: staged.rowsRead - rejected - inserted - updated, rejected: rejected, errors: errors,
            createdAt: Date())
    }

    /// In order of lines, the first so many.
    private func allErrors(_ plan: ImportPlan) async throws -> [ImportRowError] {
        var errors = staged.errors
        for failures in plan.failures {
            for row in try await connection.query(ImportPlan.first(ImportTally.maximumErrors, of: failures.rows)) {
                errors.append(
                    ImportRowError(
                        line: try row.decode("line"), column: failures.column, reason: try row.decode("reason")))
            }
        }
        errors.sort { ($0.line, $0.column) < ($1.line, $1.column) }
        return Array(errors.prefix(ImportTally.maximumErrors))
    }

    private func write(_ plan: ImportPlan) async throws -> (inserted: Int, updated: Int) {
        do {
            // Two imports of one table, or an import and a POST, would otherwise both insert what is missing. Readers go on.
            try await connection.execute("lock table \(identifier: plan.table) in share row exclusive mode")
            let quota: Quota? = order.kind == .projects ? .projects : nil
            let before = try await quota?.number(on: connection)
            for statement in plan.prerequisites { try await connection.execute(statement) }
            var updated = 0
            if let update = plan.update(named: staged.namedColumns) { updated = try await connection.execute(update) }
            let inserted = try await connection.execute(plan.insert(named: staged.namedColumns))
            // A file that adds nothing is welcome even where a limit was lowered.
            if let quota, let before, try await quota.number(on: connection) > before {
                try await quota.check(limits, on: connection)
            }
            return (inserted, updated)
        } catch let error as PostgresError where error.sqlState?.hasPrefix("23") == true {
            // A file that names only some columns may contradict what is stored in the others.
            let reason =
                ConstraintProblem.problem(error)?.sentence ?? "The rule \(error.constraintName ?? "") is broken."
            throw ImportRejection(
                rowsRead: staged.rowsRead, rejected: staged.rejected,
                errors: [ImportRowError(line: 0, column: "", reason: "contradicts what is stored: \(reason)")])
        }
    }
}
