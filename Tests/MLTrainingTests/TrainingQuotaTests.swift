import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

@Suite struct TrainingQuotaTests {
    private let tenant = TenantID()
    private let trace = TraceContext()
    /// 2026-11-22T12:00Z
    private let now = Date(timeIntervalSince1970: 1_795_348_800)

    private func quota(_ fixture: TrainingDatabase, hours: Int) -> TrainingQuota {
        TrainingQuota(store: fixture.jobs, allowance: FixedAllowance(hours: hours), now: { [now] in now })
    }

    /// A job of the tenant as history would have left it.
    private func job(
        _ fixture: TrainingDatabase, hours: Double, started: String?, status: String = "succeeded"
    ) async throws {
        let id = try await fixture.enqueue(tenant)
        try await fixture.asSuperuser { connection in
            _ = try await connection.execute(
                """
                UPDATE ml_training.jobs SET status = \(status), busy_seconds = \(hours * 3600),
                    started_at = \(optional: started)::timestamptz,
                    finished_at = CASE WHEN \(status) = 'succeeded' THEN \(optional: started)::timestamptz END
                WHERE id = \(id)
                """)
        }
    }

    @Test("only this month's jobs count, and what open ones will take is set aside")
    func usage() async throws {
        try await TrainingDatabase.with { fixture in
            try await job(fixture, hours: 4, started: "2026-10-31T23:59:59Z")
            try await job(fixture, hours: 2, started: "2026-11-01T00:00:00Z")
            try await job(fixture, hours: 3, started: "2026-11-20T00:00:00Z")
            let before = try await quota(fixture, hours: 10).usage(of: tenant, trace: trace)
            #expect(
                before
                    == TrainingUsage(month: "2026-11", usedHours: 5, openJobs: 0, reservedHours: 0, allowedHours: 10))
            #expect(before.remainingHours == 5)
            // Jobs like it took 3 hours on average.
            try await job(fixture, hours: 0, started: nil, status: "queued")
            let after = try await quota(fixture, hours: 10).usage(of: tenant, trace: trace)
            #expect(after.openJobs == 1 && abs(after.reservedHours - 3) < 1e-9)
            #expect(try await quota(fixture, hours: 10).usage(of: TenantID(), trace: trace).usedHours == 0)
        }
    }

    @Test("a job beyond the month's hours is refused with what is used and allowed")
    func refused() async throws {
        try await TrainingDatabase.with { fixture in
            try await job(fixture, hours: 9.254, started: "2026-11-20T00:00:00Z")
            try await quota(fixture, hours: 10).requireRoom(for: tenant, trace: trace)
            try await job(fixture, hours: 0, started: nil, status: "queued")
            let problem = await #expect(throws: ProblemError.self) {
                try await quota(fixture, hours: 10).requireRoom(for: tenant, trace: trace)
            }
            #expect(problem?.status.code == 403 && problem?.code == .quotaExceeded)
            #expect(
                problem?.sentence
                    == "The plan allows 10 training hours a month: 9.25 are used, and 9.25 are needed by 1 open job. "
                    + "More are there from 2026-12-01, or with a larger plan.")
        }
    }

    @Test("a request repeated under its key is answered as before, though the hours are used up since")
    func repeated() async throws {
        try await TrainingDatabase.with { fixture in
            let request = CreateTrainingJobRequest(months: 6)
            let key = IdempotencyKey(subject: "u", key: "k", requestSHA256: [1])
            func start(hours: Int, _ key: IdempotencyKey) async throws -> TrainingJobStarted {
                try await TrainingJobs(store: fixture.jobs, quota: quota(fixture, hours: hours), wake: WakeSignal())
                    .start(request, tenant: tenant, by: Author(name: "u", requestID: "r"), key: key, trace: trace)
            }
            let first = try await start(hours: 1, key)
            #expect(try await start(hours: 0, key).jobId == first.jobId)
            await #expect(throws: IdempotencyKeyReused.self) {
                try await start(hours: 0, IdempotencyKey(subject: "u", key: "k", requestSHA256: [2]))
            }
            await #expect(throws: ProblemError.self) {
                try await start(hours: 0, IdempotencyKey(subject: "u", key: "other", requestSHA256: [1]))
            }
        }
    }
}
