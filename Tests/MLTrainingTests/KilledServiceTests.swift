import Contracts
import Forecasting
import Foundation
import Glibc
import ServiceIdentity
import TestSupport
import Testing

@testable import MLTraining

/// The real executable, killed without warning.
@Suite struct KilledServiceTests {
    @Test("a job whose service is killed again and again finishes: same artefact, no epoch lost or doubled")
    func killed() async throws {
        try await TrainingDatabase.with { fixture in
            let identity = TestIdentity()
            let history = SyntheticHistory(allocations: 1_500)
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-killed-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try #require(identity.pairs[.mlTraining]).pem.write(
                to: folder.appendingPathComponent("key"), atomically: true, encoding: .utf8)
            try identity.keys.contents().write(
                to: folder.appendingPathComponent("jwks"), atomically: true, encoding: .utf8)
            let tenant = TenantID()
            let id = try await fixture.enqueue(tenant, epochs: 1_000, asOf: history.end)

            try await FakeTenantAdmin(history: history, keys: identity.keys).serve { url in
                var reached = 0
                for _ in 0..<3 {
                    let service = try start(folder: folder, tenantAdmin: url, database: fixture.databases.mlTraining)
                    defer { kill(service.processIdentifier, SIGKILL) }
                    reached = try await progress(beyond: reached, of: id, tenant, fixture)
                }
                let service = try start(folder: folder, tenantAdmin: url, database: fixture.databases.mlTraining)
                defer { kill(service.processIdentifier, SIGKILL) }
                let events = try fixture.events(of: id, tenant)
                try await events.stream(afterEpoch: reached) { _ in }
            }

            let job = try #require(try await fixture.jobs.job(id, tenant: tenant, progress: 1_000))
            #expect(job.status == .succeeded, "\(job.error ?? "")")
            #expect(job.attempts >= 2)
            #expect(job.progress.map(\.epoch) == Array(1...1_000))
            let (dataset, modelID) = (try #require(job.datasetId), try #require(job.modelId))
            let model = try #require(try await fixture.registry.model(modelID, tenant: tenant))
            let known = try await fixture.datasets.history(dataset, tenant: tenant)
            let configuration = TrainingConfiguration(
                months: job.months, epochs: job.epochs, seed: UInt64(job.seed), asOf: job.asOf.timeIntervalSince1970)
            let uninterrupted = try await ComputeThread.run(named: "reference") {
                try TrainingRun(history: known, configuration: configuration).run().model.encoded()
            }
            #expect(model.artifactSha256 == NewModel.digest(of: uninterrupted))
        }
    }

    private func start(folder: URL, tenantAdmin: String, database: String) throws -> Process {
        let process = Process()
        // `swift build --build-tests` puts the executables beside the test bundle.
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("ml-training")
        process.arguments = [
            "--http-port", "0", "--ops-port", "0", "--log-level", "warning", "--database-url", database,
            "--tenant-admin-url", tenantAdmin, "--identity-key-file", folder.appendingPathComponent("key").path,
            "--identity-jwks-file", folder.appendingPathComponent("jwks").path, "--migrations-directory",
            ServiceDatabases.repository.appendingPathComponent("migrations").path, "--training-lease", "1s",
            "--training-workers", "1", "--training-poll", "50ms",
        ]
        try process.run()
        return process
    }

    /// Waits until more epochs are stored than before, or the job is final.
    private func progress(
        beyond reached: Int, of id: JobID, _ tenant: TenantID, _ fixture: TrainingDatabase
    ) async throws -> Int {
        while true {
            let newest = try await fixture.jobs.job(id, tenant: tenant, progress: 1)
            if let epoch = newest?.progress.last?.epoch, epoch > reached { return epoch }
            if newest?.status.isFinal == true { return reached }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
