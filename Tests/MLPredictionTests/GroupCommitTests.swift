import Contracts
import Foundation
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLPrediction

/// Answers of many requests in shared transactions.
@Suite struct GroupCommitTests {
    private func prediction(_ id: PredictionID = PredictionID()) -> NewPrediction {
        let request = PredictionRequest(employeeId: EmployeeID(), projectId: ProjectID(), plannedHours: 8)
        return NewPrediction(
            request: request,
            prediction: Prediction(
                predictionId: id, recommendedAllocation: 20, allocationNote: nil, estimatedHours: 8,
                successProbability: 0.5, confidence: 60, interval: nil, intervals: [], explanation: [],
                model: PredictionModel(id: ModelID(), version: 1, kind: "test"), alternativeOptions: [], asOf: Date()),
            createdAt: Date())
    }

    private func ids(_ fixture: PredictionDatabase, _ tenant: TenantID) async throws -> Set<PredictionID> {
        Set(
            try await fixture.log.records(PredictionFilter(), tenant: tenant, after: nil, limit: 500).map(\.id))
    }

    @Test("answers of many tenants written together are each seen by their own tenant alone, whole batches or none")
    func tenants() async throws {
        try await PredictionDatabase.with { fixture in
            let log = fixture.log
            let tenants = (0..<5).map { _ in TenantID() }
            let written = try await withThrowingTaskGroup(of: (Int, [PredictionID]).self) { group in
                for request in 0..<60 {
                    group.addTask {
                        let batch = (0...request % 3).map { _ in prediction() }
                        let key =
                            request % 2 == 0
                            ? IdempotencyKey(subject: "u", key: "\(request)", requestSHA256: [UInt8(request)]) : nil
                        let answers = try await log.append(
                            batch, key: key, requestedBy: "u", tenant: tenants[request % 5])
                        return (request % 5, answers.map(\.predictionId))
                    }
                }
                var written = [Set<PredictionID>](repeating: [], count: 5)
                for try await (tenant, ids) in group { written[tenant].formUnion(ids) }
                return written
            }
            for (place, tenant) in tenants.enumerated() {
                #expect(try await ids(fixture, tenant) == written[place] && written[place].count == 24)
            }
            // Nothing of a tenant stays on the connections.
            let seen = try await fixture.database.withConnection {
                try await $0.query("SELECT count(*) FROM ml_prediction.predictions")[0].decode(at: 0, as: Int.self)
            }
            #expect(seen == 0)
        }
    }

    @Test("an answer that cannot be stored fails alone")
    func failsAlone() async throws {
        try await PredictionDatabase.with { fixture in
            let (log, tenant, other) = (fixture.log, TenantID(), TenantID())
            let taken = prediction()
            _ = try await log.append([taken], key: nil, requestedBy: "u", tenant: tenant)
            let failures = await withTaskGroup(of: Bool.self) { group in
                for request in 0..<40 {
                    group.addTask {
                        let batch = request == 20 ? [prediction(), taken] : [prediction()]
                        let owner = request % 2 == 0 ? tenant : other
                        return
                            (try? await log.append(batch, key: nil, requestedBy: "u", tenant: owner)) == nil
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(failures == 1)
            #expect(try await ids(fixture, tenant).count == 20)
            #expect(try await ids(fixture, other).count == 20)
        }
    }

    @Test("one key used by many at once is answered once; for another request it is refused, after a day it is free")
    func keys() async throws {
        try await PredictionDatabase.with { fixture in
            let (log, tenant) = (fixture.log, TenantID())
            let key = IdempotencyKey(subject: "u", key: "k", requestSHA256: [1])
            @Sendable func ask(_ key: IdempotencyKey) async throws -> PredictionID? {
                try await log.append([prediction(), prediction()], key: key, requestedBy: "u", tenant: tenant)
                    .first?.predictionId
            }
            let answers = try await withThrowingTaskGroup(of: PredictionID?.self) { group in
                for _ in 0..<30 { group.addTask { try await ask(key) } }
                return try await group.reduce(into: Set<PredictionID?>()) { $0.insert($1) }
            }
            #expect(answers.count == 1)
            #expect(try await ids(fixture, tenant).count == 2)
            await #expect(throws: IdempotencyKeyReused.self) {
                _ = try await ask(IdempotencyKey(subject: "u", key: "k", requestSHA256: [2]))
            }
            // Another subject's and another tenant's keys are others.
            _ = try await ask(IdempotencyKey(subject: "v", key: "k", requestSHA256: [1]))
            _ = try await log.append([prediction()], key: key, requestedBy: "u", tenant: TenantID())
            #expect(try await ids(fixture, tenant).count == 4)

            try await fixture.database.withTenantRows(tenant) {
                _ = try await $0.execute(
                    "UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE subject = 'u'")
            }
            // Neither the former answer is given nor another request refused, though nobody has swept the key.
            let other = IdempotencyKey(subject: "u", key: "k", requestSHA256: [3])
            #expect(try await log.earlierAnswer(key, tenant: tenant) == nil)
            #expect(try await log.earlierAnswer(other, tenant: tenant) == nil)
            let again = try await ask(other)
            #expect(!answers.contains(again))
            #expect(try await ids(fixture, tenant).count == 6)
        }
    }
}
