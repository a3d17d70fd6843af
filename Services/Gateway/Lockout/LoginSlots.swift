import Basics
import Contracts
import ServiceKit
import Synchronization

/// Who may have a password checked at the same time, as a plain value.
///
/// A check costs some 100 ms and 32 MB of tenant-admin. Neither one client address nor one tenant may hold all of what this
/// node asks for at once.
struct LoginSlots: Sendable, Equatable {
    /// The most at once, in all and of one.
    struct Capacity: Sendable, Equatable {
        let total: Int
        let perTenant: Int
        let perAddress: Int

        /// Fewer than tenant-admin lets wait (64), so that it is this queue that decides.
        static let standard = Capacity(total: 32, perTenant: 16, perAddress: 8)
    }

    private let capacity: Capacity
    private var total = 0
    private var tenants: [TenantID: Int] = [:]
    private var addresses: [String: Int] = [:]

    init(_ capacity: Capacity = .standard) { self.capacity = capacity }

    /// False when there is no slot for them now.
    mutating func take(_ tenant: TenantID, _ address: String) -> Bool {
        guard total < capacity.total, tenants[tenant, default: 0] < capacity.perTenant,
            addresses[address, default: 0] < capacity.perAddress
        else { return false }
        total += 1
        tenants[tenant, default: 0] += 1
        addresses[address, default: 0] += 1
        return true
    }

    mutating func giveBack(_ tenant: TenantID, _ address: String) {
        total -= 1
        tenants[tenant] = tenants[tenant].flatMap { $0 > 1 ? $0 - 1 : nil }
        addresses[address] = addresses[address].flatMap { $0 > 1 ? $0 - 1 : nil }
    }
}

/// Lets logins, and whatever else has a password hashed, wait a little for a slot; bounded, so that a flood is turned away
/// and not piled up.
final class LoginQueue: Sendable {
    private static let backoff = Backoff(first: .milliseconds(20), maximum: .milliseconds(200))

    private struct State {
        var slots: LoginSlots
        var waiting: [TenantID: Int] = [:]
    }

    private let state: Mutex<State>
    private let maximumWaiting: Int
    private let patience: Duration

    /// - Parameters:
    ///   - maximumWaiting: of one tenant; of all together four times as many.
    ///   - patience: how long a login may wait for its turn.
    init(_ capacity: LoginSlots.Capacity = .standard, maximumWaiting: Int = 128, patience: Duration = .seconds(3)) {
        state = Mutex(State(slots: LoginSlots(capacity)))
        self.maximumWaiting = maximumWaiting
        self.patience = patience
    }

    /// Runs `body` in a slot of the tenant and the address.
    ///
    /// - Throws: ``ProblemError`` 503 with `Retry-After` when too many wait already or none came free in time.
    func withSlot<R: Sendable>(
        _ tenant: TenantID, _ address: ClientAddress, _ body: () async throws -> R
    ) async throws -> R {
        let network = address.network
        try await waitInLine(of: tenant) { self.state.withLock { $0.slots.take(tenant, network) } }
        defer { state.withLock { $0.slots.giveBack(tenant, network) } }
        return try await body()
    }

    /// Tries until `attempt` succeeds.
    ///
    /// - Throws: ``ProblemError`` 503 with `Retry-After`, and what `attempt` throws.
    func waitInLine(of tenant: TenantID, until attempt: () async throws -> Bool) async throws {
        if try await attempt() { return }
        guard enterLine(of: tenant) else { throw Self.busy }
        defer { state.withLock { $0.waiting[tenant] = $0.waiting[tenant].flatMap { $0 > 1 ? $0 - 1 : nil } } }
        let end = ContinuousClock.now + patience
        // With exponential back-off: each attempt may cost a transaction, and a long wait means many waiting logins.
        var attempts = 1
        while ContinuousClock.now < end {
            try await Task.sleep(for: Self.backoff.pause(after: attempts) * Double.random(in: 1...2))
            if try await attempt() { return }
            attempts += 1
        }
        throw Self.busy
    }

    /// Whether the next of the tenant's logins that must wait is turned away.
    func isFull(for tenant: TenantID) -> Bool { state.withLock { isFull($0, tenant) } }

    private func isFull(_ state: State, _ tenant: TenantID) -> Bool {
        state.waiting[tenant, default: 0] >= maximumWaiting
            || state.waiting.values.reduce(0, +) >= 4 * maximumWaiting
    }

    private func enterLine(of tenant: TenantID) -> Bool {
        state.withLock { state in
            guard !isFull(state, tenant) else { return false }
            state.waiting[tenant, default: 0] += 1
            return true
        }
    }

    private static let busy = ProblemError.unavailable("Too many logins at once; try again in a moment.")
}
