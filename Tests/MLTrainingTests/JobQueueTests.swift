import Contracts
import Foundation
import HistoryFeed
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

@Suite struct JobQueueTests {
    @Test("no two of many workers get the same job")
    func claimedOnce() async throws {
        try await TrainingDatabase.with { fixture in
            let queue = fixture.queue
            for _ in 0..<12 { try await fixture.enqueue(TenantID()) }
            let claims = try await withThrowingTaskGroup(of: [JobTicket].self) { group in
                for worker in 0..<6 {
                    group.addTask {
                        var mine: [JobTicket] = []
                        while let ticket = try await queue.claim(worker: "w\(worker)", lease: .seconds(60)) {
                            mine.append(ticket)
                        }
                        return mine
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claims.count == 12)
            #expect(Set(claims.map(\.id)).count == 12)
        }
    }

    @Test("a job whose origin is unknown to this release is an error, not a user's request")
    func unknownOrigin() async throws {
        try await PostgresCluster.withPool("unknownorigin") { pool in
            let row = try await pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT gen_random_uuid() AS id, gen_random_uuid() AS tenant_id, 1 AS attempts, 'm' AS model_type,
                        6 AS months, 100 AS epochs, 1 AS seed, now() AS as_of, '{}'::jsonb AS hyperparameters,
                        null::uuid AS dataset_id, 'import' AS origin, 0 AS failures, 0 AS fruitless_claims,
                        false AS cancel_requested
                    """)[0]
            }
            let error = #expect(throws: PostgresError.self) { try JobTicket(row) }
            #expect(error?.columnName == "origin")
        }
    }

    @Test("a silent worker's job goes to another, and the silent one can write nothing any more")
    func takeover() async throws {
        try await TrainingDatabase.with { fixture in
            let job = try await fixture.enqueue(TenantID())
            let stalled = try #require(try await fixture.queue.claim(worker: "a", lease: fixture.lease))
            #expect(try await fixture.queue.claim(worker: "b", lease: fixture.lease) == nil)
            try await fixture.expireLease(of: job)
            let second = try #require(try await fixture.queue.claim(worker: "b", lease: fixture.lease))
            #expect(second.id == job && second.attempt == stalled.attempt + 1)
            await #expect(throws: AttemptEnd.leaseLost) { try await fixture.queue.renew(stalled, lease: fixture.lease) }
            await #expect(throws: AttemptEnd.leaseLost) {
                try await fixture.queue.record(ProgressBatch(stage: "stalled"), ticket: stalled)
            }
            await #expect(throws: AttemptEnd.leaseLost) { try await fixture.queue.end(stalled, by: .cancel) }
            let dataset = try Dataset(name: "late", source: DatasetSource(months: 6, asOf: Date()))
            await #expect(throws: AttemptEnd.leaseLost) { try await fixture.datasets.store(dataset, for: stalled) }
            #expect(try await fixture.datasets.datasets(tenant: second.tenant, after: nil, limit: 9).isEmpty)
            let standing = try await fixture.jobs.standing(job, tenant: second.tenant)
            #expect(standing?.status == .running && standing?.stage != "stalled")
        }
    }

    @Test("while a large dataset is written the job's lease goes on being renewed", .timeLimit(.minutes(5)))
    func renewedMeanwhile() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.enqueue(TenantID())
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            let (queue, lease) = (fixture.queue, fixture.lease)
            try await FencedTransaction(database: fixture.database, lease: lease).run(ticket) { connection in
                try await connection.execute("SELECT count(*) FROM training_datasets")
                // On another connection: it would wait for ever for a row that this transaction holds.
                _ = try await queue.renew(ticket, lease: lease)
            } holding: { _ in
            }
        }
    }

    @Test("one tenant's hundred jobs do not delay another's first, whichever of many workers is free")
    func hundred() async throws {
        try await TrainingDatabase.with { fixture in
            let (busy, other) = (TenantID(), TenantID())
            for _ in 0..<100 { try await fixture.enqueue(busy) }
            // Three workers are at it already.
            for _ in 0..<3 { _ = try await fixture.queue.claim(worker: "w", lease: fixture.lease) }
            let first = try await fixture.enqueue(other)
            #expect(try await fixture.queue.claim(worker: "w", lease: fixture.lease)?.id == first)
        }
    }

    @Test("one tenant's many jobs do not delay another's first")
    func fairness() async throws {
        try await TrainingDatabase.with { fixture in
            let (busy, other) = (TenantID(), TenantID())
            for _ in 0..<5 { try await fixture.enqueue(busy) }
            try await fixture.enqueue(other)
            let order = try await [
                fixture.queue.claim(worker: "w", lease: fixture.lease)?.tenant,
                fixture.queue.claim(worker: "w", lease: fixture.lease)?.tenant,
            ]
            #expect(order == [busy, other])
        }
    }

    @Test("a tenant that was just served waits for one that was not, even when its job has ended")
    func turns() async throws {
        try await TrainingDatabase.with { fixture in
            let (busy, other) = (TenantID(), TenantID())
            for _ in 0..<3 { try await fixture.enqueue(busy) }
            let first = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            try await fixture.enqueue(other)
            try await fixture.queue.end(first, by: .cancel)
            #expect(try await fixture.queue.claim(worker: "w", lease: fixture.lease)?.tenant == other)
        }
    }

    @Test("a job that is to be tried again later is not due before")
    func retryLater() async throws {
        try await TrainingDatabase.with { fixture in
            try await fixture.enqueue(TenantID())
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            try await fixture.queue.end(ticket, by: .retry(after: .seconds(3600)))
            #expect(try await fixture.queue.claim(worker: "w", lease: fixture.lease) == nil)
        }
    }

    @Test("an epoch reported twice is one row")
    func epochsOnce() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let job = try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            try await fixture.datasets.store(
                try Dataset(name: "d", source: DatasetSource(months: 6, asOf: Date())), for: ticket)
            func epochs(_ range: ClosedRange<Int>) -> ProgressBatch {
                ProgressBatch(
                    epochs: range.map {
                        EpochProgress(
                            epoch: $0, loss: 1 / Double($0), valLoss: nil, accuracy: nil, valAccuracy: nil,
                            learningRate: 0.001, timestamp: Date())
                    }, checkpoint: [1])
            }
            try await fixture.queue.record(epochs(1...5), ticket: ticket)
            try await fixture.queue.record(epochs(4...8), ticket: ticket)
            let stored = try #require(try await fixture.jobs.job(job, tenant: tenant, progress: 100))
            #expect(stored.progress.map(\.epoch) == Array(1...8))
            #expect(try await fixture.jobs.job(job, tenant: tenant, progress: 3)?.progress.map(\.epoch) == [6, 7, 8])
        }
    }

    @Test("the same key and request give the same job; the same key and another request are refused")
    func idempotency() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let key = IdempotencyKey(subject: "u", key: "k", requestSHA256: [1])
            let first = try await fixture.enqueue(tenant, key: key)
            #expect(try await fixture.enqueue(tenant, key: key) == first)
            #expect(try await fixture.jobs.jobs(tenant: tenant, after: nil, limit: 10).count == 1)
            await #expect(throws: IdempotencyKeyReused.self) {
                try await fixture.enqueue(tenant, key: IdempotencyKey(subject: "u", key: "k", requestSHA256: [2]))
            }
            // Another person's key, another tenant's key: no relation.
            #expect(
                try await fixture.enqueue(tenant, key: IdempotencyKey(subject: "v", key: "k", requestSHA256: [1]))
                    != first)
            #expect(try await fixture.enqueue(TenantID(), key: key) != first)
        }
    }

    @Test(
        "a key that is free again is taken anew, and one that another request removes is not waited for",
        .timeLimit(.minutes(5)))
    func freeKeys() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let keys = ["first", "second"].map { IdempotencyKey(subject: "u", key: $0, requestSHA256: [1]) }
            let earlier = [
                try await fixture.enqueue(tenant, key: keys[0]), try await fixture.enqueue(tenant, key: keys[1]),
            ]
            try await fixture.asSuperuser {
                _ = try await $0.execute(
                    "UPDATE ml_training.idempotency_keys SET created_at = now() - interval '25 hours'")
            }
            let later = try await fixture.database.withTenantRows(tenant) { connection in
                _ = try await connection.execute("DELETE FROM idempotency_keys WHERE key = 'first'")
                return try await fixture.enqueue(tenant, key: keys[1])
            }
            #expect(later != earlier[1])
            #expect(try await fixture.enqueue(tenant, key: keys[1]) == later)
            #expect(try await fixture.enqueue(tenant, key: keys[0]) != earlier[0])
        }
    }

    @Test("a queued job is cancelled at once, a running one by its worker, a finished one not at all")
    func cancel() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let job = try await fixture.enqueue(tenant)
            #expect(try await fixture.jobs.cancel(job, tenant: TenantID(), by: .user) == .unknownJob)
            #expect(try await fixture.jobs.cancel(job, tenant: tenant, by: .user) == .accepted(.cancelled))
            #expect(try await fixture.jobs.cancel(job, tenant: tenant, by: .user) == .alreadyFinal(.cancelled))
            let running = try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "w", lease: fixture.lease))
            #expect(try await fixture.jobs.cancel(running, tenant: tenant, by: .user) == .accepted(.running))
            #expect(try await fixture.queue.renew(ticket, lease: fixture.lease))
        }
    }
}
