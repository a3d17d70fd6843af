import Basics
import Contracts
import Testing

@testable import MLTraining

@Suite struct JobLifecycleTests {
    let trouble = JobFailure(code: .upstreamFailed, sentence: "tenant-admin did not answer.")
    let hopeless = JobFailure(code: .notEnoughHistory, sentence: "only 7 completed allocations")

    @Test("a job whose owner wants it cancelled is not worked on again")
    func cancelledAtClaim() {
        #expect(JobLifecycle(failures: 0, fruitlessClaims: 1, cancelRequested: true).onClaim() == .cancel)
    }

    @Test("a job that keeps killing its workers is failed instead of taken up for ever")
    func poison() {
        let limit = JobLifecycle.maximumFruitlessClaims
        #expect(JobLifecycle(failures: 0, fruitlessClaims: limit, cancelRequested: false).onClaim() == .work)
        guard case .fail = JobLifecycle(failures: 0, fruitlessClaims: limit + 1, cancelRequested: false).onClaim()
        else {
            Issue.record("it should have failed")
            return
        }
    }

    @Test("only transient failures are retried, with exponential back-off and a limit")
    func retries() {
        let fresh = JobLifecycle(failures: 0, fruitlessClaims: 1, cancelRequested: false)
        #expect(fresh.onEnd(.failed(hopeless)) == .fail(hopeless))
        #expect(fresh.onEnd(.interrupted(trouble)) == .retry(after: .seconds(1)))
        let pauses = (1...9).map { JobLifecycle.backoff.pause(after: $0) }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
        let tired = JobLifecycle(failures: JobLifecycle.maximumFailures - 1, fruitlessClaims: 1, cancelRequested: false)
        #expect(tired.onEnd(.interrupted(trouble)) == .fail(trouble))
    }

    @Test("a stopping process hands its job back, and a lost lease writes nothing")
    func ends() {
        let job = JobLifecycle(failures: 0, fruitlessClaims: 1, cancelRequested: false)
        #expect(job.onEnd(.shuttingDown) == .release)
        #expect(job.onEnd(.leaseLost) == .letGo)
        #expect(job.onEnd(.cancelled) == .cancel)
    }
}

@Suite struct LeaseStateTests {
    let start = ContinuousClock.now

    @Test("a lease that was not renewed in time counts as lost, counted from when the renewal was sent")
    func runsOut() {
        var lease = LeaseState(claimedAt: start, lease: .seconds(5))
        #expect(lease.reasonToStop(at: start + .seconds(4.9)) == nil)
        lease.renewed(sentAt: start + .seconds(3), lease: .seconds(5), cancelRequested: false)
        #expect(lease.reasonToStop(at: start + .seconds(7.9)) == nil)
        #expect(lease.reasonToStop(at: start + .seconds(8)) == .leaseLost)
    }

    @Test("a lease that was said to be lost stays lost, though its renewal is answered at last")
    func renewedTooLate() {
        var lease = LeaseState(claimedAt: start, lease: .seconds(5))
        #expect(lease.reasonToStop(at: start + .seconds(5)) == .leaseLost)
        lease.renewed(sentAt: start + .seconds(4), lease: .seconds(5), cancelRequested: true)
        #expect(lease.reasonToStop(at: start + .seconds(6)) == .leaseLost)
    }

    @Test("the first reason to stop stands")
    func firstReason() {
        var lease = LeaseState(claimedAt: start, lease: .seconds(5))
        lease.renewed(sentAt: start, lease: .seconds(5), cancelRequested: true)
        lease.shutDown()
        lease.refused()
        #expect(lease.reasonToStop(at: start) == .cancelled)
    }
}

@Suite struct TrainingEstimateTests {
    @Test("the estimate is what the jobs most alike took, and nothing before any was measured")
    func nearest() {
        #expect(TrainingEstimate.seconds(months: 6, epochs: 100, measured: []) == nil)
        let measured = [
            MeasuredJob(months: 6, epochs: 100, busySeconds: 10), MeasuredJob(months: 6, epochs: 100, busySeconds: 14),
            MeasuredJob(months: 7, epochs: 100, busySeconds: 12),
            MeasuredJob(months: 240, epochs: 1000, busySeconds: 900),
        ]
        #expect(TrainingEstimate.seconds(months: 6, epochs: 100, measured: measured) == 12)
        #expect(TrainingEstimate.seconds(months: 240, epochs: 1000, measured: [measured[3]]) == 900)
    }
}
