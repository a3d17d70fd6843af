import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import NIOCore
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import MLTraining
@testable import ServiceStorage

/// What a tenant has of training, taken out and brought into another tenant beside it.
@Suite struct TrainingArchiveTests {
    private static let kinds = ArchiveKind.allCases.filter { $0.service == .mlTraining }

    /// Longer than a chunk, and of a last piece that is no whole one.
    private static let large = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }

    private func archive(_ fixture: TrainingDatabase) -> ServiceArchive {
        ServiceArchive(database: fixture.database, files: TrainingArchive.files)
    }

    private func export(_ tenant: TenantID, _ fixture: TrainingDatabase) async throws -> [ArchiveKind: [String]] {
        let archive = archive(fixture)
        var files: [ArchiveKind: [String]] = [:]
        for kind in Self.kinds {
            var bytes: [UInt8] = []
            try await archive.send(try archive.file(kind), of: tenant) { bytes += $0.readableBytesView }
            files[kind] = try bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
                if case .row(let text) = try WireJSON.decode(ArchiveLine.self, from: line) { text } else { nil }
            }
        }
        return files
    }

    /// Line by line, as the longest are sent.
    private func restore(
        _ kind: ArchiveKind, _ lines: [String], into tenant: TenantID, _ fixture: TrainingDatabase
    ) async throws {
        for (index, line) in lines.enumerated() {
            let rows = ArchiveRows(kind: kind, lines: [line], firstLine: index + 1, isEnd: index == lines.count - 1)
            _ = try await archive(fixture).restore(rows, into: tenant)
        }
    }

    private func restore(
        _ files: [ArchiveKind: [String]], into tenant: TenantID, _ fixture: TrainingDatabase
    ) async throws {
        for kind in Self.kinds { try await restore(kind, files[kind] ?? [], into: tenant, fixture) }
    }

    /// Two models, the second of which was deployed, rolled back and runs in the shadow of the first; a failed job, a back-test.
    private func filled(_ fixture: TrainingDatabase) async throws -> (tenant: TenantID, models: [ModelID]) {
        let tenant = TenantID()
        let history = SyntheticHistory(allocations: 60)
        var source = DatasetSource(months: 240, asOf: history.end)
        for line in history.lines { if let change = line.change { try source.add(change) } }
        var models: [ModelID] = []
        for artifact in [[1, 2, 3], Self.large] {
            try await fixture.enqueue(tenant)
            let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
            // The same content twice, under two ids.
            let dataset = try Dataset(name: "test", source: source)
            try await fixture.datasets.store(dataset, for: ticket)
            let epoch = EpochProgress(
                epoch: 1, loss: 0.1, valLoss: nil, accuracy: 1.0 / 3, valAccuracy: nil, learningRate: 0.001,
                timestamp: Date())
            try await fixture.queue.record(
                ProgressBatch(epochs: [epoch]), ticket: ticket)
            let model = TrainingDatabase.newModel(dataset: dataset.id, passedGates: true, artifact: artifact)
            try await fixture.registry.register(model, for: ticket)
            models.append(model.id)
        }
        for model in models {
            _ = try await fixture.registry.deploy(model, tenant: tenant, force: false, note: "ü", by: "ada")
        }
        _ = try await fixture.registry.rollback(tenant: tenant, by: "bob")
        try await fixture.database.withTenantRows(tenant) { connection in
            try await Shadows.begin(
                models[1], version: 2, beside: models[0], isFavoured: true, days: 3, outcomes: 20, by: "schedule:ada",
                of: tenant, connection)
        }
        _ = try await fixture.schedules.put(
            ScheduleSetting(TrainingScheduleRequest(everyDays: 300, deployAutomatically: true), by: "ada"),
            tenant: tenant)
        let failed = try await fixture.enqueue(tenant)
        _ = try await fixture.jobs.cancel(failed, tenant: tenant, by: .user)
        let backtest = NewJob(
            modelType: NewJob.backtest, months: 240, epochs: 10, seed: 1, asOf: Date(), requestedBy: "ada")
        _ = try await fixture.backtests.enqueue(
            backtest, BacktestQuestion(from: SyntheticHistory.start, to: history.end, refits: 2, withPlan: true),
            key: nil, tenant: tenant)
        _ = try await fixture.jobs.cancel(backtest.id, tenant: tenant, by: .user)
        // Under way: not in an archive.
        try await fixture.enqueue(tenant)
        return (tenant, models)
    }

    @Test("models come back beside the tenant that they came from: equal line by line, deployed, and to be rolled back")
    func beside() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, models) = try await filled(fixture)
            let second = TenantID()
            let files = try await export(first, fixture)
            for kind in Self.kinds { #expect(files[kind]?.isEmpty == false, "\(kind)") }
            // Content that two datasets share is there once.
            let chunks = try await fixture.chunks(of: first)
            #expect(chunks.uses == 2 * chunks.count)
            #expect(files[.datasetContent]?.count == chunks.count && files[.datasets]?.count == 2)
            #expect(files[.modelArtifacts]?.count == 1 + 6)
            try await restore(files, into: second, fixture)
            // Once more: nothing is there twice.
            try await restore(files, into: second, fixture)

            let copy = try await export(second, fixture)
            for kind in Self.kinds { #expect(copy[kind] == files[kind], "\(kind)") }
            for (model, bytes) in zip(models, [[1, 2, 3], Self.large]) {
                let artifact = try #require(try await fixture.registry.artifact(model, tenant: second))
                #expect(artifact.content == bytes && artifact.sha256 == NewModel.digest(of: bytes))
            }
            let serving = try #require(try await fixture.registry.deployed(tenant: second))
            #expect(serving.modelId == models[0] && serving.shadow?.modelId == models[1])
            let dataset = try #require(try await fixture.datasets.datasets(tenant: second, after: nil, limit: 1).first)
            let history = try await fixture.datasets.history(dataset.id, tenant: second)
            #expect(history.allocationCount == 60)
            let job = try #require(
                try await fixture.jobs.jobs(tenant: second, after: nil, limit: 9).first { $0.modelId == models[1] })
            let epochs = try await fixture.jobs.job(job.id, tenant: second, progress: 5)?.progress
            #expect(epochs?.map(\.accuracy) == [1.0 / 3])

            // From here on each tenant goes its own way.
            #expect(
                try await fixture.registry.deploy(models[1], tenant: second, force: false, by: "u").model.status
                    == .deployed)
            #expect(try await fixture.registry.deployed(tenant: first)?.modelId == models[0])
            #expect(try await fixture.registry.rollback(tenant: second, by: "u").model.id == models[0])
            await #expect(throws: DeploymentRefusal.nothingToRollBackTo) {
                try await fixture.registry.rollback(tenant: second, by: "u")
            }
            #expect(try await fixture.registry.archive(models[1], tenant: second).status == .archived)
            #expect(try await fixture.registry.model(models[1], tenant: first)?.status == .validated)
            // The next version, and a job that is claimed although another tenant's has ended under such an id.
            _ = try await fixture.jobs.cancel(
                try #require(try await fixture.jobs.jobs(tenant: first, after: nil, limit: 1).first).id, tenant: first,
                by: .user)
            let next = try await fixture.model(of: second, passedGates: true)
            #expect(try await fixture.registry.model(next, tenant: second)?.version == 3)
            #expect(try await fixture.registry.model(next, tenant: first) == nil)
        }
    }

    @Test("a damaged piece is refused with its line, and nothing of its model can be seen or deployed")
    func damaged() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, models) = try await filled(fixture)
            let second = TenantID()
            let files = try await export(first, fixture)
            for kind in Self.kinds.prefix(while: { $0 != .modelArtifacts }) {
                try await restore(kind, files[kind] ?? [], into: second, fixture)
            }
            var lines = try #require(files[.modelArtifacts])
            let whole = lines
            let digit = try #require(lines[3].range(of: #""content": ""#)).upperBound
            lines[3].replaceSubrange(digit...digit, with: lines[3][digit] == "0" ? "1" : "0")
            let damaged = lines
            let refused = await #expect(throws: ProblemError.self) {
                try await restore(.modelArtifacts, damaged, into: second, fixture)
            }
            #expect(
                refused?.sentence.contains("Line 4 of model_artifacts.ndjson is damaged") == true,
                "\(String(describing: refused))")
            // The first one was whole before.
            #expect(
                try await fixture.registry.models(tenant: second, status: nil, after: nil, limit: 9).map(\.id)
                    == [models[0]])
            let early = await #expect(throws: ProblemError.self) {
                try await restore(.deployments, files[.deployments] ?? [], into: second, fixture)
            }
            #expect(early?.sentence.contains("Line 2 of deployments.ndjson") == true, "\(String(describing: early))")

            // A file that was cut off.
            let cut = await #expect(throws: ProblemError.self) {
                try await restore(.modelArtifacts, whole.dropLast(), into: second, fixture)
            }
            #expect(cut?.sentence.contains("version 2") == true, "\(String(describing: cut))")
            // Pieces with digests of their own that make another artefact than the model's.
            var forged = Array(whole.dropLast())
            forged.append(forged[5].replacing(#""piece": 0"#, with: #""piece": 1"#))
            let other = forged
            let mixed = await #expect(throws: ProblemError.self) {
                try await restore(.modelArtifacts, other, into: second, fixture)
            }
            #expect(mixed != nil)
            #expect(try await fixture.registry.model(models[1], tenant: second) == nil)

            // The whole file still brings it.
            try await restore(.modelArtifacts, whole, into: second, fixture)
            #expect(try await fixture.registry.artifact(models[1], tenant: second)?.content == Self.large)
        }
    }

    @Test("an archive cannot name another tenant's artefact: without its bytes there is no model")
    func foreignDigest() async throws {
        try await TrainingDatabase.with { fixture in
            let (victim, models) = try await filled(fixture)
            let (thief, own) = (TenantID(), TenantID())
            _ = try await fixture.model(of: own, passedGates: true, artifact: [9, 9, 9])
            var files = try await export(own, fixture)
            let mine = NewModel.digest(of: [9, 9, 9])
            // The id and the digest of the victim's model, with bytes of the thief's.
            let id = try #require(
                try await fixture.registry.models(tenant: own, status: nil, after: nil, limit: 1).first
            )
            .id
            for kind in [ArchiveKind.models, .modelArtifacts, .deployments] {
                files[kind] = files[kind]?.map {
                    $0.replacing("\(id)", with: "\(models[0])").replacing(
                        #""artifact_sha256": "\#(mine)""#,
                        with: #""artifact_sha256": "\#(NewModel.digest(of: [1, 2, 3]))""#)
                }
            }
            let forged = files
            let refused = await #expect(throws: ProblemError.self) { try await restore(forged, into: thief, fixture) }
            #expect(refused?.sentence.contains("Line 1 of model_artifacts.ndjson ends an artefact") == true)
            #expect(try await fixture.registry.model(models[0], tenant: thief) == nil)
            #expect(try await fixture.registry.artifact(models[0], tenant: thief) == nil)
            #expect(try await fixture.registry.servable(tenant: thief).isEmpty)
            await #expect(throws: DeploymentRefusal.unknownModel) {
                try await fixture.registry.deploy(models[0], tenant: thief, force: true, by: "u")
            }
            // The victim notices nothing.
            #expect(try await fixture.registry.artifact(models[0], tenant: victim)?.content == [1, 2, 3])
            #expect(try await fixture.registry.deployed(tenant: victim)?.modelId == models[0])

            // Nor can an archive put a job into the queue, or refer to what it does not bring.
            let queued = try #require(files[.trainingJobs]?.first).replacing(
                #""status": "succeeded""#, with: #""status": "queued""#)
            let running = await #expect(throws: ProblemError.self) {
                try await restore(.trainingJobs, [queued], into: TenantID(), fixture)
            }
            #expect(running?.sentence.contains("has not ended") == true)
            let victims = try #require(try await export(victim, fixture)[.models])
            let unknown = await #expect(throws: ProblemError.self) {
                try await restore(.models, victims, into: TenantID(), fixture)
            }
            #expect(unknown?.sentence.contains("Line 1 of models.ndjson names a dataset or a job") == true)
        }
    }

    @Test("datasets may stay out of an archive; content that has not the dataset's digest is refused")
    func datasets() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, models) = try await filled(fixture)
            let (second, third) = (TenantID(), TenantID())
            var files = try await export(first, fixture)
            let content = try #require(files[.datasetContent])
            files[.datasetContent] = []
            try await restore(files, into: second, fixture)
            #expect(try await fixture.registry.artifact(models[1], tenant: second)?.content == Self.large)
            let id = try #require(try await fixture.datasets.datasets(tenant: second, after: nil, limit: 1).first).id
            let dataset = try #require(try await fixture.datasets.dataset(id, tenant: second))
            let unread = await #expect(throws: ProblemError.self) {
                var scan = DatasetScan(store: fixture.datasets, dataset: dataset, tenant: second)
                _ = try await scan.entry()
            }
            #expect(unread?.status == .notFound)
            await #expect(throws: DatasetDamaged.self) {
                try await fixture.datasets.history(id, tenant: second)
            }

            try await restore(.datasets, files[.datasets] ?? [], into: third, fixture)
            // Well-formed, with a digest of its own.
            let bytes = Array("{}\n".utf8)
            let last = content[content.count - 1].replacing(
                /"sha256": "[0-9a-f]*"/, with: #""sha256": "\#(NewModel.digest(of: bytes))""#
            ).replacing(/"content": "[0-9a-f]*"/, with: #""content": "7b7d0a""#)
            let forged = Array(content.dropLast()) + [last]
            let refused = await #expect(throws: ProblemError.self) {
                try await restore(.datasetContent, forged, into: third, fixture)
            }
            let place = "Line \(content.count) of dataset_content.ndjson"
            #expect(refused?.sentence.contains("\(place) ends a dataset") == true)
            try await restore(.datasetContent, content, into: third, fixture)
            #expect(try await fixture.datasets.history(id, tenant: third).allocationCount == 60)
        }
    }

    @Test("the archive of an earlier release brings models as records, which the next archive has again")
    func records() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, models) = try await filled(fixture)
            let second = TenantID()
            let files = try await export(first, fixture)
            // As it was written: each model with its dataset and job, and pieces that name the version.
            let old: [ArchiveKind: [String]] = [
                .models: try #require(files[.models]).map { String($0.dropLast()) + #", "dataset": {}, "job": {}}"# },
                .modelArtifacts: [#"{"version": 1, "ordinal": 0, "piece": 0, "content": "010203"}"#],
                .deployments: try #require(files[.deployments]),
            ]
            for kind in [ArchiveKind.models, .modelArtifacts, .deployments] {
                try await restore(kind, old[kind] ?? [], into: second, fixture)
            }
            #expect(try await fixture.registry.models(tenant: second, status: nil, after: nil, limit: 9).isEmpty)
            #expect(try await fixture.registry.model(models[0], tenant: second) == nil)
            let copy = try await export(second, fixture)
            for (kind, lines) in old { #expect(copy[kind] == lines, "\(kind)") }
        }
    }
}
