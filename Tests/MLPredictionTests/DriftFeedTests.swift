import Contracts
import Forecasting
import Foundation
import NIOCore
import Postgres
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction
@testable import ServiceStorage

/// Alarms that were given, where something is in the way and in a tenant's archive.
@Suite struct DriftFeedTests {
    private struct Fault: Error {}

    /// Predictions that cannot be read.
    private struct UnreadablePredictions: WatchedPredictions {
        let error: any Error

        func models(asked: Range<Date>, model: ModelID?, tenant: TenantID) async throws -> [ModelID] { throw error }

        func outcomes(
            of model: ModelID, decided: Range<Date>, tenant: TenantID
        ) async throws -> [WatchedOutcome] { throw error }

        func plans(
            of model: ModelID, asked: Range<Date>, most: Int, tenant: TenantID
        ) async throws -> [WatchedPlan] { throw error }
    }

    private let alarm = DriftAlarm(
        modelId: ModelID(), kind: .range, raisedAt: Date(timeIntervalSince1970: 1_760_000_000), observations: 100,
        evidence: 500, message: "80 % ranges held 40 % of 100 outcomes.")

    private func alarms(
        of tenant: TenantID, _ source: ScriptedFeed, _ error: any Error, _ fixture: PredictionDatabase
    ) async throws -> [DriftAlarm] {
        let feed = DriftFeed(
            mirrors: TenantMirrors { TenantMirror(tenant: $0, source: source, freshness: Freshness()) },
            watched: UnreadablePredictions(error: error), notices: AlarmNotices(database: fixture.database),
            gate: ComputeGate())
        let span = alarm.raisedAt.addingTimeInterval(-3_600)..<alarm.raisedAt.addingTimeInterval(3_600)
        return try await feed.alarms(in: span, model: nil, of: tenant)
    }

    @Test("without the history alarms that were given are listed; other faults and cancellation are no empty answer")
    func faults() async throws {
        try await PredictionDatabase.with { fixture in
            let tenant = TenantID()
            try await AlarmNotices(database: fixture.database).keep([alarm], of: tenant)
            let (away, there) = (ScriptedFeed([]), ScriptedFeed(TrainedModel.history.lines))
            away.state.withLock { $0.isDown = true }
            #expect(try await alarms(of: tenant, away, Fault(), fixture) == [alarm])
            await #expect(throws: Fault.self) { try await alarms(of: tenant, there, Fault(), fixture) }
            await #expect(throws: CancellationError.self) {
                try await alarms(of: tenant, there, CancellationError(), fixture)
            }
        }
    }

    @Test("a history is gone through in pieces, from its beginning again where it is loaded afresh meanwhile")
    func inPieces() async throws {
        func knowledge(_ lines: [HistoryLine]) -> TenantKnowledge {
            var intake = TenantKnowledge.Intake()
            for line in lines { intake.take(line) }
            return intake.finish(HistoryEnd(watermark: "1", lines: lines.count))
        }
        let history = TrainedModel.history
        let known = SharedLock(knowledge(history.lines))
        // One place is free, with what was there before it.
        let removed = [HistoryLine.removed(RemovedRow(kind: "allocation", id: history.allocations[3].id.rawValue))]
        known.change { $0.take(removed, end: HistoryEnd(watermark: "2", lines: 1)) }
        let afresh = knowledge(Array(history.lines.dropLast(20)))
        try await PredictionDatabase.with { fixture in
            let gate = ComputeGate(atOnce: 1)
            var feed = DriftFeed(
                mirrors: TenantMirrors { TenantMirror(tenant: $0, source: ScriptedFeed([]), freshness: Freshness()) },
                watched: UnreadablePredictions(error: Fault()), notices: AlarmNotices(database: fixture.database),
                gate: gate)
            feed.placesAtOnce = 50
            let (drift, spans) = (feed, try await feed.workSpans(known))
            // Another has its turn after the first of three pieces.
            let found = await gate.pass {
                let found = Task { try await drift.workSpans(known) }
                while gate.waiting < 1 { await Task.yield() }
                Task { await gate.pass { known.replace(with: afresh) } }
                while gate.waiting < 2 { await Task.yield() }
                return found
            }
            func decided(_ spans: [WorkSpan]) -> [Double] { spans.map(\.decidedAt).sorted() }
            #expect(spans.count == 119)
            #expect(decided(try await found.value) == decided(afresh.history.workSpans))
        }
    }

    @Test("alarms come back with a tenant's archive, also beside the tenant that it is of, and are not sent again")
    func archived() async throws {
        try await PredictionDatabase.with { fixture in
            let (tenant, copy) = (TenantID(), TenantID())
            let notices = AlarmNotices(database: fixture.database)
            try await notices.keep([alarm], of: tenant)
            let archive = ServiceArchive(database: fixture.database, files: PredictionArchive.files)
            var bytes: [UInt8] = []
            try await archive.send(try archive.file(.driftAlarms), of: tenant) { bytes += $0.readableBytesView }
            let lines = try bytes.split(separator: UInt8(ascii: "\n")).compactMap { line -> String? in
                if case .row(let row) = try WireJSON.decode(ArchiveLine.self, from: Array(line)) { row } else { nil }
            }
            // Twice, as after a broken connection.
            for _ in 0..<2 {
                let rows = ArchiveRows(kind: .driftAlarms, lines: lines, firstLine: 1, isEnd: true)
                #expect(try await archive.restore(rows, into: copy).rows == 1)
            }
            let span = alarm.raisedAt..<alarm.raisedAt.addingTimeInterval(1)
            #expect(try await notices.kept(in: span, model: nil, of: copy) == [alarm])
            let waiting = try await fixture.database.withTenantRows(copy, readOnly: true) { connection in
                try await connection.query("SELECT id FROM alarm_notices WHERE delivered_at IS NULL").count
            }
            #expect(waiting == 0)
        }
    }
}
