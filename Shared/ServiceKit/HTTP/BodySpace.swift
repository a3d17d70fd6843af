import Contracts
import ServiceIdentity
import Synchronization

/// How many bytes of request bodies this node holds in the memory at a time, over all requests that read theirs whole. Decoded they take
/// several times that, and a request may have to wait for long before it is done with its own.
///
/// One tenant gets at most half, because its large bodies could otherwise keep all other tenants' requests out.
public final class BodySpace: Sendable {
    private struct State {
        var total = 0
        /// Of requests of no tenant under nil.
        var held: [TenantID?: Int] = [:]
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: in bytes.
    public init(capacity: Int) { self.capacity = capacity }

    /// In bytes.
    var total: Int { state.withLock { $0.total } }

    /// - Throws: ``ProblemError`` 503 when there is no room, 429 when the tenant has its share.
    fileprivate func take(_ count: Int, for tenant: TenantID?) throws {
        try state.withLock { state in
            guard tenant == nil || state.held[tenant, default: 0] + count <= capacity / 2 else {
                throw ProblemError.rateLimited(
                    "Your organisation sends too many large bodies at a time; try again when some have been answered.",
                    retryAfter: .seconds(1))
            }
            guard state.total + count <= capacity else {
                throw ProblemError.unavailable(
                    "This node holds as many large bodies as it can; try again in a moment.", retryAfter: .seconds(1))
            }
            state.total += count
            state.held[tenant, default: 0] += count
        }
    }

    fileprivate func give(_ count: Int, of tenant: TenantID?) {
        state.withLock { state in
            state.total -= count
            let held = state.held[tenant, default: 0] - count
            state.held[tenant] = held > 0 ? held : nil
        }
    }
}

/// What one request holds of a node's ``BodySpace``, until its answer has been written.
final class BodyHold: Sendable {
    private let space: BodySpace
    private let tenant: TenantID?
    /// nil once the request is over: pieces of a body that came before its client hung up may be read later, and nobody would give their room back.
    private let held = Mutex<Int?>(0)

    /// nil where nobody counts.
    init?(_ context: ServiceRequestContext) {
        guard let space = context.bodySpace else { return nil }
        self.space = space
        tenant = context.caller?.tenant
        context.record.whenFinished { self.giveBack() }
    }

    /// - Throws: as ``BodySpace``.
    func take(_ count: Int) throws {
        try held.withLock { held in
            guard let before = held else { return }
            try space.take(count, for: tenant)
            held = before + count
        }
    }

    private func giveBack() {
        let count = held.withLock { held in
            defer { held = nil }
            return held ?? 0
        }
        if count > 0 { space.give(count, of: tenant) }
    }
}
