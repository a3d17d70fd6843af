import Basics
import Contracts
import ServiceKit
import Synchronization

/// The tenants this node holds in memory. Beyond the limits the one unused for longest is dropped; it is loaded again when asked for.
/// One that tenant-admin refuses, suspended or gone, is dropped at once.
final class TenantMirrors: Sendable {
    struct Limits: Sendable {
        var tenants = 2_000
        /// Rows of all tenants together.
        var rows = 5_000_000
        /// Bytes of all tenants together, estimated.
        var bytes = 4 << 30
    }

    fileprivate struct Held {
        let mirror: TenantMirror
        var usedAt: UInt64
        var size = Size()
    }

    fileprivate struct Size: Equatable {
        var rows = 0
        var bytes = 0
    }

    fileprivate struct State {
        var held: [TenantID: Held] = [:]
        /// Of all that are held.
        var size = Size()
        var uses: UInt64 = 0
    }

    private let limits: Limits
    private let free: @Sendable ([TenantMirror]) -> Void
    private let refused: @Sendable (TenantID) -> Void
    private let make: @Sendable (TenantID) -> TenantMirror
    private let state = Mutex(State())

    /// - Parameters:
    ///   - free: lets go of large histories, each of which takes as long as many answers.
    ///   - refused: told of each tenant that tenant-admin refuses.
    init(
        limits: Limits = Limits(), free: @escaping @Sendable ([TenantMirror]) -> Void = TenantMirrors.freeAside,
        refused: @escaping @Sendable (TenantID) -> Void = { _ in },
        make: @escaping @Sendable (TenantID) -> TenantMirror
    ) {
        self.limits = limits
        self.free = free
        self.refused = refused
        self.make = make
    }

    static func freeAside(_ mirrors: [TenantMirror]) {
        SystemThread.start(named: "history", niceness: BackgroundWork.niceness) { _ = mirrors }
    }

    /// The tenant's mirror, in step with its history.
    /// - Throws: as `TenantMirror.refresh`.
    func mirror(of tenant: TenantID) async throws -> TenantMirror {
        let mirror = state.withLock { $0.touch(tenant, make) }
        do {
            try await mirror.refresh()
        } catch let error as ProblemError where error.isRefusedTenant {
            drop(tenant)
            throw error
        }
        let size = await mirror.knowledge.readInTurn { Size(rows: $0.size, bytes: $0.bytes) }
        makeRoom(for: size, of: tenant)
        return mirror
    }

    /// Drops those of some tenants that tenant-admin refuses now, whether anybody asks about them or not.
    /// - Parameter changed: nil for all.
    func check(_ changed: Set<TenantID>?) async {
        for tenant in changed.map(tenants.intersection) ?? tenants {
            let mirror = state.withLock { $0.held[tenant]?.mirror }
            do {
                // However fresh the mirror is.
                try await mirror?.catchUp()
            } catch let error as ProblemError where error.isRefusedTenant {
                drop(tenant)
            } catch {
                if Task.isCancelled { return }
                // The next question about the tenant is told that the history cannot be read.
            }
        }
    }

    private func drop(_ tenant: TenantID) {
        let gone = state.withLock { $0.remove(tenant) }
        refused(tenant)
        release([gone].compactMap(\.self))
    }

    private func makeRoom(for size: Size, of tenant: TenantID) {
        let dropped = state.withLock { state in
            state.note(size, of: tenant)
            return state.evict(limits, keeping: tenant)
        }
        release(dropped)
    }

    /// Small ones are freed here, outside of the lock.
    private func release(_ dropped: [Held]) {
        let large = dropped.filter { $0.size.rows > HistoryFeedPace.atOnce }.map(\.mirror)
        if !large.isEmpty { free(large) }
    }

    var tenants: Set<TenantID> { state.withLock { Set($0.held.keys) } }
}

extension TenantMirrors.State {
    fileprivate mutating func touch(
        _ tenant: TenantID, _ make: (TenantID) -> TenantMirror
    ) -> TenantMirror {
        uses += 1
        held[tenant]?.usedAt = uses
        if let present = held[tenant] { return present.mirror }
        let mirror = make(tenant)
        held[tenant] = TenantMirrors.Held(mirror: mirror, usedAt: uses)
        return mirror
    }

    fileprivate mutating func note(_ new: TenantMirrors.Size, of tenant: TenantID) {
        guard let former = held[tenant]?.size, former != new else { return }
        held[tenant]?.size = new
        size.rows += new.rows - former.rows
        size.bytes += new.bytes - former.bytes
    }

    fileprivate mutating func evict(_ limits: TenantMirrors.Limits, keeping tenant: TenantID) -> [TenantMirrors.Held] {
        var dropped: [TenantMirrors.Held] = []
        while held.count > limits.tenants
            || ((size.rows > limits.rows || size.bytes > limits.bytes) && held.count > 1)
        {
            guard let oldest = held.filter({ $0.key != tenant }).min(by: { $0.value.usedAt < $1.value.usedAt }) else {
                break
            }
            if let gone = remove(oldest.key) { dropped.append(gone) }
        }
        return dropped
    }

    fileprivate mutating func remove(_ tenant: TenantID) -> TenantMirrors.Held? {
        guard let gone = held.removeValue(forKey: tenant) else { return nil }
        size.rows -= gone.size.rows
        size.bytes -= gone.size.bytes
        return gone
    }
}
