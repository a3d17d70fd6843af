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
        admission: Admission = Admission(most: 256),
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) -> PredictionService {
        let mirrors = TenantMirrors { tenant in
            TenantMirror(
                tenant: tenant, source: feed(tenant),
                freshness: Freshness(fresh: .seconds(600), limit: .seconds(600), patience: .seconds(600)))
        }
        return PredictionService(
            models: DeployedModels(source: ScriptedModels(), patience: .seconds(600)), mirrors: mirrors,
            log: fixture.log, admission: admission, clock: clock)
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
}
