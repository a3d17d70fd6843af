import Contracts

/// The tenants this node holds in memory. Beyond the limits the one unused for longest is dropped; it is loaded again when asked for.
actor TenantMirrors {
    struct Limits: Sendable {
        var tenants = 200
        /// Rows of all tenants together.
        var rows = 5_000_000
        /// Bytes of all tenants together, estimated.
        var bytes = 4 << 30
    }

    private struct Held {
        let mirror: TenantMirror
        var usedAt: UInt64
        var size = Size()
    }

    private struct Size {
        var rows = 0
        var bytes = 0
    }

    private let limits: Limits
    private let make: @Sendable (TenantID) -> TenantMirror
    private var held: [TenantID: Held] = [:]
    private var uses: UInt64 = 0

    init(limits: Limits = Limits(), make: @escaping @Sendable (TenantID) -> TenantMirror) {
        self.limits = limits
        self.make = make
    }

    /// The tenant's mirror, in step with its history.
    /// - Throws: as `TenantMirror.refresh`.
    func mirror(of tenant: TenantID) async throws -> TenantMirror {
        let mirror = touch(tenant)
        try await mirror.refresh()
        held[tenant]?.size = mirror.knowledge.read { Size(rows: $0.size, bytes: $0.bytes) }
        evict(keeping: tenant)
        return mirror
    }

    var tenants: Set<TenantID> { Set(held.keys) }

    private func touch(_ tenant: TenantID) -> TenantMirror {
        uses += 1
        held[tenant]?.usedAt = uses
        if let present = held[tenant] { return present.mirror }
        let mirror = make(tenant)
        held[tenant] = Held(mirror: mirror, usedAt: uses)
        return mirror
    }

    private func evict(keeping tenant: TenantID) {
        var (rows, bytes) = held.values.reduce((0, 0)) { ($0.0 + $1.size.rows, $0.1 + $1.size.bytes) }
        while held.count > limits.tenants || ((rows > limits.rows || bytes > limits.bytes) && held.count > 1) {
            guard let oldest = held.filter({ $0.key != tenant }).min(by: { $0.value.usedAt < $1.value.usedAt }) else {
                return
            }
            held[oldest.key] = nil
            rows -= oldest.value.size.rows
            bytes -= oldest.value.size.bytes
        }
    }
}
