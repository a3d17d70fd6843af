import Contracts
import Foundation
import TestSupport
import Testing

@testable import MLTraining

/// The real executable: killed without warning, on one core and on many.
@Suite struct KilledServiceTests {
    /// How often the node is killed at most, and at least: a fast machine is through with the job before it has been killed a
    /// dozen times.
    private static let kills = 3...12
    /// Steps of one row each make training slow enough to be killed in the middle, again and again.
    private let slowly = TrainingHyperparameters(batchSize: 1)

    @Test(
        "a job whose node is killed again and again finishes: no epoch lost or doubled, the artefact of a job left alone"
    )
    func killed() async throws {
        try await TrainingDatabase.with { fixture in
            let history = SyntheticHistory(allocations: 2_000)
            let (tenant, leftAlone) = (TenantID(), TenantID())
            func enqueue(_ tenant: TenantID) async throws -> JobID {
                try await fixture.enqueue(tenant, epochs: 1_000, asOf: history.end, hyperparameters: slowly)
            }
            let id = try await enqueue(tenant)
            let (killed, reference) = try await TrainingProcess.with(history, fixture) { service in
                var (kills, dead, reached) = (0, 0, 0)
                while kills < Self.kills.upperBound {
                    reached = try await service.run {
                        // The first dies when it has only just taken the job up.
                        try await kills == 0
                            ? claimed(id, tenant, fixture)
                            : progress(beyond: reached, after: dead, of: id, tenant, fixture)
                    }
                    let left = try #require(try await fixture.jobs.job(id, tenant: tenant, progress: 0))
                    if left.status.isFinal { break }
                    (kills, dead) = (kills + 1, left.attempts)
                }
                #expect(kills >= Self.kills.lowerBound, "killed \(kills) times: too seldom to prove anything")
                return try await service.run {
                    _ = try await progress(beyond: reached, after: dead, of: id, tenant, fixture)
                    let killed = try await ended(id, tenant, fixture)
                    #expect(killed.attempts > kills)
                    return (killed, try await ended(try await enqueue(leftAlone), leftAlone, fixture))
                }
            }
            #expect(killed.status == .succeeded && reference.status == .succeeded, "\(killed.error ?? "")")
            #expect(reference.attempts == 1)
            #expect(killed.progress.map(\.epoch) == Array(1...1_000))
            #expect(killed.progress.map(\.loss) == reference.progress.map(\.loss))
            let (first, second) = try await (
                made(by: killed, tenant, fixture), made(by: reference, leftAlone, fixture)
            )
            #expect(first.dataset == second.dataset && first.artifact == second.artifact)
        }
    }

    @Test("the same dataset and seed give the same artefact on one core with one worker and on all with two at once")
    func cores() async throws {
        try await TrainingDatabase.with { fixture in
            let history = SyntheticHistory(allocations: 300)
            let tenants = (0..<3).map { _ in TenantID() }
            var made: [Made] = []
            try await TrainingProcess.with(history, fixture) { service in
                let first = try await fixture.enqueue(tenants[0], epochs: 50, asOf: history.end)
                let job = try await service.run(workers: 1, onOneCore: true) {
                    try await ended(first, tenants[0], fixture)
                }
                made.append(try await self.made(by: job, tenants[0], fixture))
                var jobs: [JobID] = []
                for tenant in tenants.dropFirst() {
                    jobs.append(try await fixture.enqueue(tenant, epochs: 50, asOf: history.end))
                }
                try await service.run(workers: 2) {
                    for (job, tenant) in zip(jobs, tenants.dropFirst()) {
                        made.append(try await self.made(by: try await ended(job, tenant, fixture), tenant, fixture))
                    }
                }
            }
            #expect(made.count == 3 && made.allSatisfy { $0 == made[0] })
        }
    }

    private struct Made: Equatable {
        let dataset: String
        let artifact: String
    }

    private func made(by job: TrainingJob, _ tenant: TenantID, _ fixture: TrainingDatabase) async throws -> Made {
        let (dataset, model) = (try #require(job.datasetId, "\(job.error ?? "")"), try #require(job.modelId))
        return Made(
            dataset: try #require(try await fixture.datasets.dataset(dataset, tenant: tenant)).contentSha256,
            artifact: try #require(try await fixture.registry.model(model, tenant: tenant)).artifactSha256)
    }

    private func ended(_ id: JobID, _ tenant: TenantID, _ fixture: TrainingDatabase) async throws -> TrainingJob {
        try await fixture.events(of: id, tenant).stream(afterEpoch: 0) { _ in }
        return try #require(try await fixture.jobs.job(id, tenant: tenant, progress: 1_000))
    }

    /// Waits until the job has been taken up.
    private func claimed(_ id: JobID, _ tenant: TenantID, _ fixture: TrainingDatabase) async throws -> Int {
        while try await fixture.jobs.standing(id, tenant: tenant)?.status == .queued {
            try await Task.sleep(for: .milliseconds(2))
        }
        return 0
    }

    /// Waits until an attempt after the dead one has stored more epochs than there were, or the job is final. Epochs that the dead one
    /// stored in its last moments are not the new one's.
    ///
    /// The dead one's lease is ended here instead of being waited for: of a lease short enough for that, a process on a busy machine
    /// would lose its job while it lives.
    private func progress(
        beyond reached: Int, after dead: Int, of id: JobID, _ tenant: TenantID, _ fixture: TrainingDatabase
    ) async throws -> Int {
        while true {
            let newest = try #require(try await fixture.jobs.job(id, tenant: tenant, progress: 1))
            if newest.attempts > dead, let epoch = newest.progress.last?.epoch, epoch > reached { return epoch }
            if newest.status.isFinal { return reached }
            // Again and again: the dead one may have sent a renewal that is still to be carried out.
            if newest.attempts == dead { try await fixture.expireLease(of: id, attempt: dead) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
