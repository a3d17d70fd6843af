import Contracts
import Postgres
import ServiceStorage
import Synchronization

/// Writes the answers of concurrent requests in shared transactions, so that many wait for one commit.
///
/// A transaction may hold answers of several tenants: each tenant's statements run under that tenant's setting, against
/// which Postgres checks every row, as in a transaction of its own.
final class PredictionWriter: Sendable {
    /// The answers of one request: all are stored or none.
    struct Entry: Sendable {
        let tenant: TenantID
        let key: IdempotencyKey?
        /// Under the tenant's setting.
        let statements: [SQL]
        /// Of the statement that affects one row if the key was free; nil without a key.
        let claim: Int?
        let rows: Int

        /// Keys are taken in one order by everybody, so that no two transactions wait for each other.
        fileprivate var order: (String, String, String) {
            (tenant.description, key?.subject ?? "", key?.key ?? "")
        }
    }

    private struct Waiting: Sendable {
        let entry: Entry
        let continuation: CheckedContinuation<Bool, any Error>
    }

    private let database: ServiceDatabase
    private let queue: Mutex<CommitQueue<Waiting>>

    init(database: ServiceDatabase, limits: CommitQueue<Entry>.Limits = .init()) {
        self.database = database
        queue = Mutex(CommitQueue(.init(wait: limits.wait, rows: limits.rows, groups: limits.groups)))
    }

    /// Returns once the commit is durable. A caller that is cancelled meanwhile waits all the same: its answer is written.
    /// - Returns: false when the key was taken, and nothing was written.
    func write(_ entry: Entry) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            perform { $0.add(Waiting(entry: entry, continuation: continuation), rows: entry.rows, now: .now) }
        }
    }

    private func perform(_ event: (inout CommitQueue<Waiting>) -> [CommitQueue<Waiting>.Action]) {
        for action in queue.withLock({ event(&$0) }) {
            switch action {
            case .write(let group):
                // Not of any one request's task: others wait for it too.
                Task {
                    await write(group)
                    perform { $0.finished(now: .now) }
                }
            case .wake(let moment):
                Task {
                    try? await Task.sleep(until: moment, tolerance: .zero, clock: .continuous)
                    perform { $0.woke(now: .now) }
                }
            }
        }
    }

    private func write(_ group: [Waiting]) async {
        let ordered = group.sorted { $0.entry.order < $1.entry.order }
        do {
            let isWritten = try await commit(ordered.map(\.entry))
            for (waiting, isWritten) in zip(ordered, isWritten) { waiting.continuation.resume(returning: isWritten) }
        } catch let error as PostgresError where error.code == .server || error.code == .encoding {
            // Nothing of the group is stored. One request's fault is not the others': each has another try of its own.
            for waiting in ordered { await writeAlone(waiting) }
        } catch {
            for waiting in ordered { waiting.continuation.resume(throwing: error) }
        }
    }

    /// One transaction in one round trip.
    /// - Returns: per entry whether it was written.
    private func commit(_ entries: [Entry]) async throws -> [Bool] {
        var statements: [SQL] = []
        var claims: [Int?] = []
        var tenant: TenantID?
        for entry in entries {
            if entry.tenant != tenant {
                tenant = entry.tenant
                // Until the end of the transaction, or the next tenant's statement.
                statements.append("SELECT pg_catalog.set_config('erm.tenant_id', \(entry.tenant.description), true)")
            }
            claims.append(entry.claim.map { statements.count + $0 })
            statements += entry.statements
        }
        let affected = try await database.withConnection { try await $0.rowsAffected(byBatch: statements) }
        return claims.map { $0.map { affected[$0] == 1 } ?? true }
    }

    private func writeAlone(_ waiting: Waiting) async {
        let entry = waiting.entry
        do {
            let affected = try await database.withTenantRows(entry.tenant) {
                try await $0.rowsAffected(byBatch: entry.statements)
            }
            waiting.continuation.resume(returning: entry.claim.map { affected[$0] == 1 } ?? true)
        } catch {
            waiting.continuation.resume(throwing: error)
        }
    }
}
