import Contracts
import Synchronization

/// Whose turn it is to hold a database connection for seconds: to apply an import that has come whole, or to read an export. Half of the
/// turns at a time may be one tenant's. The others wait, each tenant's in the order in which they came.
final class BulkTurns: Sendable {
    private let order: Mutex<TurnOrder<CheckedContinuation<Void, any Error>>>

    init(atOnce: Int) { order = Mutex(TurnOrder(atOnce: atOnce)) }

    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    func withTurn<R>(
        for tenant: TenantID, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async throws -> R {
        try await begin(tenant)
        defer { end(tenant) }
        return try await body()
    }

    /// - Parameters:
    ///   - wait: runs until the turn begins, which cancels it.
    ///   - body: is given what `wait` returned.
    /// - Throws: as ``withTurn(for:isolation:_:)``, and what `wait` throws.
    func withTurn<W: Sendable, R>(
        for tenant: TenantID, isolation: isolated (any Actor)? = #isolation,
        whileWaiting wait: @escaping @Sendable () async throws -> W, _ body: (W) async throws -> R
    ) async throws -> R {
        let waited = try await withThrowingTaskGroup(of: W.self) { group in
            group.addTask(operation: wait)
            try await begin(tenant)
            group.cancelAll()
            do {
                guard let waited = try await group.next() else { throw CancellationError() }
                return waited
            } catch {
                end(tenant)
                throw error
            }
        }
        defer { end(tenant) }
        return try await body(waited)
    }

    private func begin(_ tenant: TenantID) async throws {
        let ticket = order.withLock { $0.ticket() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Error>) in
                let answer = order.withLock { order -> Result<Void, any Error>? in
                    // A cancellation before this found nobody to release.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    return order.begin(tenant, ticket, waiter) ? .success(()) : nil
                }
                if let answer { waiter.resume(with: answer) }
            }
        } onCancel: {
            order.withLock { $0.leave(ticket) }?.resume(throwing: CancellationError())
        }
    }

    private func end(_ tenant: TenantID) {
        for waiter in order.withLock({ $0.end(tenant) }) { waiter.resume() }
    }
}

/// The order of turns, as a plain value: its methods return the waiters whose turn it is.
struct TurnOrder<Waiter> {
    private let atOnce: Int
    private var running: [TenantID: Int] = [:]
    private var waiting: [(ticket: Int, tenant: TenantID, waiter: Waiter)] = []
    private var tickets = 0

    init(atOnce: Int) { self.atOnce = atOnce }

    /// What one tenant may have at once.
    private var share: Int { max(1, atOnce / 2) }

    /// A number to wait with.
    mutating func ticket() -> Int {
        tickets += 1
        return tickets
    }

    /// Whether the turn begins now; otherwise `waiter` waits.
    mutating func begin(_ tenant: TenantID, _ ticket: Int, _ waiter: Waiter) -> Bool {
        guard isFree(for: tenant) else {
            waiting.append((ticket, tenant, waiter))
            return false
        }
        running[tenant, default: 0] += 1
        return true
    }

    /// Who waited with the ticket and waits no more; nil for a turn that has begun.
    mutating func leave(_ ticket: Int) -> Waiter? {
        guard let place = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return waiting.remove(at: place).waiter
    }

    /// A turn has ended.
    /// - Returns: those whose turn begins now.
    mutating func end(_ tenant: TenantID) -> [Waiter] {
        let own = running[tenant, default: 0]
        running[tenant] = own > 1 ? own - 1 : nil
        var next: [Waiter] = []
        while let place = waiting.firstIndex(where: { isFree(for: $0.tenant) }) {
            let (_, tenant, waiter) = waiting.remove(at: place)
            running[tenant, default: 0] += 1
            next.append(waiter)
        }
        return next
    }

    private func isFree(for tenant: TenantID) -> Bool {
        running.values.reduce(0, +) < atOnce && running[tenant, default: 0] < share
    }
}
