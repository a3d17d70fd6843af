import Contracts
import Foundation
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLPrediction

/// How requests stand beside one another.
@Suite(.timeLimit(.minutes(5))) struct PredictionServiceTests {
    private let history = TrainedModel.history

    private func service(
        _ fixture: PredictionDatabase, _ feed: @escaping @Sendable (TenantID) -> ScriptedFeed,
        models: ScriptedModels = ScriptedModels(), admission: Admission = Admission(most: 256),
        gate: ComputeGate = ComputeGate(),
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) -> PredictionService {
        let mirrors = TenantMirrors { tenant in
            TenantMirror(
                tenant: tenant, source: feed(tenant),
                freshness: Freshness(fresh: .seconds(600), limit: .seconds(600), patience: .seconds(600)))
        }
        return PredictionService(
            models: DeployedModels(source: models, patience: .seconds(600)), mirrors: mirrors,
            log: fixture.log, admission: admission, gate: gate, clock: clock)
    }

    private func caller(_ tenant: TenantID) -> TenantCaller {
        TenantCaller(tenant: tenant, author: Author(name: "user", requestID: "r"), permissions: [])
    }

    @Test("a request that waits for its tenant's history takes no place from another tenant's")
    func loadingTenant() async throws {
        try await PredictionDatabase.with { fixture in
            let (loading, other) = (TenantID(), TenantID())
            let (asked, question) = AsyncStream.makeStream(of: Void.self)
            let (released, release) = AsyncStream.makeStream(of: Void.self)
            let slow = ScriptedFeed(history.lines) {
                question.yield()
                for await _ in released { break }
            }
            let quick = ScriptedFeed(history.lines)
            let service = service(fixture, { $0 == loading ? slow : quick }, admission: Admission(most: 1))
            let request = PredictionRequest(
                employeeId: history.employees[0].id, projectId: history.projects[0].id, plannedHours: 8,
                alternatives: 0)
            async let late = service.predict([request], paths: [""], for: caller(loading), key: nil)
            for await _ in asked { break }

            let answered = try await service.predict([request], paths: [""], for: caller(other), key: nil)
            release.finish()
            let waited = try await late

            #expect(answered.count == 1 && waited.count == 1)
        }
    }

    @Test("questions whose answers take five minutes together are refused, and no answer is kept")
    func longestAnswer() async throws {
        try await PredictionDatabase.with { fixture in
            let (tenant, feed, clock) = (TenantID(), ScriptedFeed(history.lines), ManualClock())
            // At the beginning and before each answer.
            let service = service(
                fixture, { _ in feed },
                clock: {
                    clock.advance(by: .seconds(150))
                    return clock.now()
                })
            let request = PredictionRequest(
                employeeId: history.employees[0].id, projectId: history.projects[0].id, plannedHours: 8,
                alternatives: 0)

            let refused = await #expect(throws: ProblemError.self) {
                _ = try await service.predict([request, request], paths: ["", ""], for: caller(tenant), key: nil)
            }
            let kept = try await fixture.database.withTenantRows(tenant) { connection in
                try await connection.query("SELECT count(*) AS n FROM predictions")[0].decode("n", as: Int.self)
            }
            let inTime = try await service.predict([request], paths: [""], for: caller(tenant), key: nil)

            #expect(refused?.status == .serviceUnavailable && kept == 0 && inTime.count == 1)
        }
    }

    @Test("a what-if that compares many people waits for its turn, as predictions do")
    func whatIfAmongMany() async throws {
        let people = (0..<1_000).map { index in
            HistoryLine.employee(
                HistoryEmployee(
                    id: EmployeeID(), externalId: "more \(index)", name: "More \(index)", weeklyCapacityHours: 40,
                    isActive: true, hiredOn: nil, leftOn: nil, skills: []))
        }
        try await PredictionDatabase.with { fixture in
            let (tenant, feed) = (TenantID(), ScriptedFeed(people + history.lines))
            let service = service(fixture, { _ in feed })
            let released = Signal()
            let answer = try await withThrowingTaskGroup(of: Void.self) { group in
                // Every turn that there is, and one more, so that whoever waits is not the first to.
                for _ in 0...ProcessInfo.processInfo.activeProcessorCount {
                    group.addTask { await service.gate.pass { await released.wait() } }
                }
                try await waitUntil("one waits for a turn") { service.gate.waiting == 1 }
                async let answer = service.whatIf(
                    WhatIfRequest(employeeId: history.employees[0].id, projectId: history.projects[0].id),
                    for: caller(tenant))
                try await waitUntil("the what-if waits, too") { service.gate.waiting == 2 }
                released.set()
                try await group.waitForAll()
                return try await answer
            }

            #expect(answer.answer.estimatedHours > 0)
        }
    }

    @Test("a model that has yet to be moved by the latest outcomes is moved at the gate, once for all who ask")
    func movedAtTheGate() async throws {
        let models = ScriptedModels()
        _ = models.deploy(try await TrainedModel.artifact.value)
        try await PredictionDatabase.with { fixture in
            let (tenant, feed, gate) = (TenantID(), ScriptedFeed(history.lines), ComputeGate(atOnce: 1))
            let service = service(fixture, { _ in feed }, models: models, gate: gate)
            let request = PredictionRequest(
                employeeId: history.employees[0].id, projectId: history.projects[0].id, plannedHours: 8, asOf: Date())
            let user = caller(tenant)
            @Sendable func ask() async throws -> Double {
                try await service.predict([request], paths: [""], for: user, key: nil)[0].estimatedHours
            }
            /// While nobody else has a turn.
            func askMeanwhile() async throws -> [Double] {
                let asked = await gate.pass {
                    let asked = (0..<3).map { _ in Task { try await ask() } }
                    while gate.waiting < 3 { await Task.yield() }
                    return asked
                }
                var answers: [Double] = []
                for asked in asked { answers.append(try await asked.value) }
                return answers
            }

            let first = try await askMeanwhile()
            // Nothing else has become known: no turn is needed.
            let again = try await gate.pass { try await ask() }
            let finished = history.end.addingTimeInterval(-60)
            feed.change([
                .allocation(
                    Allocation(
                        id: AllocationID(), externalId: "later", employeeId: history.employees[0].id,
                        projectId: history.projects[0].id, allocationPercentage: nil, allocatedHours: 8,
                        plannedHours: 8, actualHours: 24, requiredSkills: [], labels: [:],
                        startDate: CivilDate(finished), endDate: nil, completedAt: finished,
                        createdAt: finished.addingTimeInterval(-3_600)))
            ])
            try await service.mirrors.mirror(of: tenant).catchUp()
            let moved = try await askMeanwhile()

            #expect(Set(first + [again]).count == 1 && Set(moved).count == 1)
        }
    }
}
