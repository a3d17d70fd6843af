import Contracts
import Foundation
import ServiceStorage
import Synchronization

/// Takes the outcomes of finished bookings for the predictions that were asked about them, and puts right those that it took from
/// bookings which say something else now.
final class OutcomeIntake: Sendable {
    private let mirrors: TenantMirrors
    private let log: any PredictionLog
    private let gate: ComputeGate
    private let now: @Sendable () -> Date
    /// The history in which nothing was left to put right.
    private let corrected = Mutex<[TenantID: String]>([:])

    /// What has no outcome after so long gets none.
    private static let age: TimeInterval = 400 * 86_400

    /// So many predictions are read, or looked up in the history, in about a millisecond.
    static let few = 50

    /// - Parameter gate: for what takes long.
    init(
        mirrors: TenantMirrors, log: any PredictionLog, gate: ComputeGate = ComputeGate(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.mirrors = mirrors
        self.log = log
        self.gate = gate
        self.now = now
    }

    /// Records the outcomes of finished bookings for their newest predictions in the span, while a request waits.
    /// Outcomes that cannot be read now are taken next time, and the rest by ``takeAll(of:)``.
    /// - Parameter days: nil for all.
    func takeNewest(of tenant: TenantID, asked days: Range<Date>? = nil) async {
        _ = try? await take(.first, of: tenant, asked: days, after: nil)
    }

    /// However many predictions wait for their outcomes, or have them from bookings that were put right since.
    /// - Throws: `ProblemError` when the history cannot be read, `PostgresError`.
    func takeAll(of tenant: TenantID) async throws {
        try await takeAll(.first, of: tenant)
        // Nothing was put right in a history that is the same as last time.
        let present = try await mirrors.mirror(of: tenant).knowledge.readInTurn { $0.watermark }
        guard corrected.withLock({ $0[tenant] }) != present else { return }
        try await takeAll(.correction, of: tenant)
        corrected.withLock { $0[tenant] = present }
    }

    private func takeAll(_ awaited: AwaitedOutcome, of tenant: TenantID) async throws {
        var last: NewestFirst<PredictionEntity>?
        repeat { last = try await take(awaited, of: tenant, asked: nil, after: last) } while last != nil
    }

    /// - Returns: where the next older ones begin; nil when there are none.
    private func take(
        _ awaited: AwaitedOutcome, of tenant: TenantID, asked days: Range<Date>?,
        after last: NewestFirst<PredictionEntity>?
    ) async throws -> NewestFirst<PredictionEntity>? {
        let all = now().addingTimeInterval(-Self.age)..<Date.distantFuture
        let open = try await log.awaiting(
            awaited, tenant: tenant, asked: days.map { $0.clamped(to: all) } ?? all, after: last)
        guard let oldest = open.last else { return nil }
        let mirror = try await mirrors.mirror(of: tenant)
        let outcomes =
            open.count <= Self.few
            ? await mirror.knowledge.readInTurn { knowledge in
                open.map { OutcomeMatching.outcome(of: $0, in: knowledge) }
            }
            : try await gate.map(named: "outcomes", open, few: Self.few) { prediction in
                mirror.knowledge.read { OutcomeMatching.outcome(of: prediction, in: $0) }
            }
        let found = zip(open, outcomes).filter { !BookingOutcome.areSame($1, $0.taken) }.map { (of: $0, outcome: $1) }
        if !found.isEmpty { try await log.take(found, tenant: tenant) }
        return NewestFirst(createdAt: oldest.createdAt, id: oldest.id)
    }
}
