import Contracts

/// Whether this worker may still work on its job, and if not, why.
///
/// A plain value: the heartbeat enters the database's answers, the training thread reads it. The first reason to stop stands.
struct LeaseState: Sendable {
    typealias Instant = ContinuousClock.Instant

    private(set) var heldUntil: Instant
    private(set) var stop: AttemptEnd?

    init(claimedAt: Instant, lease: Duration) { heldUntil = claimedAt + lease }

    /// The database renewed the lease by a request sent at `sentAt`. The server's clock started it later, so what is
    /// counted here ends first.
    mutating func renewed(sentAt: Instant, lease: Duration, cancelRequested: Bool) {
        heldUntil = max(heldUntil, sentAt + lease)
        if cancelRequested { request(.cancelled) }
    }

    /// The database says that the job is another worker's, or no longer running.
    mutating func refused() { request(.leaseLost) }

    /// The tenant was suspended or deleted meanwhile: its training ends.
    mutating func tenantGone() {
        request(.failed(JobFailure(code: .tenantUnavailable, sentence: "The tenant was suspended or deleted.")))
    }

    mutating func shutDown() { request(.shuttingDown) }

    private mutating func request(_ reason: AttemptEnd) {
        if stop == nil { stop = reason }
    }

    /// Why to stop now; nil while the lease holds. A lease that could not be renewed in time counts as lost: someone
    /// else may be at work already. Once said it stands, whatever answer comes late: the trainer has stopped by then.
    mutating func reasonToStop(at now: Instant) -> AttemptEnd? {
        if now >= heldUntil { request(.leaseLost) }
        return stop
    }
}
