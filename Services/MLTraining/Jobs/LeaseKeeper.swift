import Basics
import Contracts
import HTTPTypes
import Logging
import ServiceKit
import Synchronization

/// Keeps one job's lease alive and tells the training thread when to stop.
///
/// The lock guards the plain `LeaseState`; everything that talks to the database happens outside it.
final class LeaseKeeper: Sendable {
    private struct Guarded {
        var lease: LeaseState
        var trainingEnded = false
        var abandoned = false
    }

    private let guarded: Mutex<Guarded>
    private let lease: Duration

    init(claimedAt: ContinuousClock.Instant, lease: Duration) {
        self.lease = lease
        self.guarded = Mutex(Guarded(lease: LeaseState(claimedAt: claimedAt, lease: lease)))
    }

    /// Renews the lease three times in its length until cancelled or until there is a reason to stop, and checks each time
    /// whether the tenant is still active; without an answer it checks again the next time.
    func keep(_ ticket: JobTicket, by queue: any JobQueue, allowance: any TrainingAllowance, logger: Logger) async {
        while reasonToStop == nil {
            do {
                try await Task.sleep(for: lease / 3)
                if await isGone(ticket.tenant, allowance) { guarded.withLock { $0.lease.tenantGone() } }
                let sentAt = ContinuousClock.now
                let cancelRequested = try await queue.renew(ticket, lease: lease)
                guarded.withLock { $0.lease.renewed(sentAt: sentAt, lease: lease, cancelRequested: cancelRequested) }
            } catch is CancellationError {
                return
            } catch AttemptEnd.leaseLost {
                guarded.withLock { $0.lease.refused() }
            } catch {
                // Not renewed this time; LeaseState gives up when the lease runs out.
                logger.warning("Renewing a job's lease failed", metadata: [LogKey.error: "\(LogText.of(error))"])
            }
        }
    }

    private func isGone(_ tenant: TenantID, _ allowance: any TrainingAllowance) async -> Bool {
        do {
            _ = try await allowance.hours(of: tenant, trace: TraceContext())
            return false
        } catch let problem as ProblemError {
            return [403, 404].contains(problem.status.code)
        } catch {
            return false
        }
    }

    func shutDown() { guarded.withLock { $0.lease.shutDown() } }
    func abandon() { guarded.withLock { $0.abandoned = true } }
    func trainingBegins() { guarded.withLock { $0.trainingEnded = false } }
    func trainingEnded() { guarded.withLock { $0.trainingEnded = true } }

    var hasTrainingEnded: Bool { guarded.withLock { $0.trainingEnded } }

    var reasonToStop: AttemptEnd? {
        let now = ContinuousClock.now
        return guarded.withLock { $0.lease.reasonToStop(at: now) }
    }

    /// What the training thread asks between steps.
    var mustStop: Bool { guarded.withLock { $0.abandoned } || reasonToStop != nil }

    /// - Throws: `AttemptEnd` when there is a reason to stop.
    func check() throws {
        if let reason = reasonToStop { throw reason }
    }
}
